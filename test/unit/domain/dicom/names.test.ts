import { describe, expect, it } from 'vitest';
import { tumourRois } from '../../../../src/domain/dicom/masks/structure-set.js';
import { matchNames, safeNames } from '../../../../src/domain/dicom/name-match.js';
import { shownName } from '../../../../src/domain/dicom/shown-name.js';

describe('matching names', () => {
  const names = ['GTV-1', 'GTV-10', 'Lung (left)', 'lung right', 'a.b*'];
  it.each([
    ['gtv-1', ['GTV-1']],
    ['GTV*', ['GTV-1', 'GTV-10']],
    ['gtv-1?', ['GTV-10']],
    ['^gtv', ['GTV-1', 'GTV-10']],
    ['lung (left)', ['Lung (left)']],
    ['lung', ['Lung (left)', 'lung right']],
    ['A.B*', ['a.b*']],
    ['lung.*t$', ['lung right']],
    ['((', []],
    ['', []],
  ])('%s', (request, wanted) => {
    expect(matchNames(names, request).map((at) => names[at])).toEqual(wanted);
  });
});

describe('which regions are the tumour', () => {
  const pick = (...names: string[]) =>
    tumourRois(
      names.map((name, at) => ({ name, number: at + 1, type: '' })),
      'x',
    ).map(({ name }) => name);

  it.each([
    [['GTV-1', 'Lung-Left', 'Spinal-Cord', 'Heart'], ['GTV-1']],
    [
      ['body', 'nodule 2', 'tumour', 'liver'],
      ['nodule 2', 'tumour'],
    ],
    [['Masseter', 'Mass', 'BODY'], ['Mass']],
    [['peritumoral', 'Lesion_1', 'Lung minus GTV', 'lungs-GTV edema', 'non-tumor', 'GTV margin'], ['Lesion_1']],
    [['External', 'whatever'], ['whatever']],
  ])('%j', (names, wanted) => {
    expect(pick(...names)).toEqual(wanted);
  });
});

describe('names for files and messages', () => {
  it('keep file names safe, short and apart', () => {
    expect(safeNames(['Tumor core', 'tumor/CORE', '../..', '', 'Größe µ', 'x'.repeat(99)])).toEqual([
      'Tumor-core',
      'tumor-CORE-2',
      'segment',
      'segment-2',
      'Gro-e',
      'x'.repeat(64),
    ]);
  });

  it('hide UIDs and dates', () => {
    expect(shownName('/data/1.2.840.113619.2.55.3/1-001.dcm')).toBe('1-001.dcm');
    expect(shownName('CT.1.2.840.113619.2.55.3.dcm', 3, 9)).toBe('CT.….dcm (file 3 of 9)');
    expect(shownName('scan_20011127.dcm')).toBe('scan_….dcm');
    expect(shownName('2001-11-27')).toBe('…');
    expect(shownName('2.25.1235336600521515582670122909987183.dcm')).toBe('….dcm');
    expect(shownName('v1.2.dcm')).toBe('v1.2.dcm');
  });

  it('hide words that may be names and numbers of patients, and keep those of the trade', () => {
    expect(shownName('/a/Zwiebelfisch_Quintessa_CT_0012.dcm', 2)).toBe('…_CT_0012.dcm (file 2)');
    expect(shownName('Müller^Jörg.dcm')).toBe('….dcm');
    expect(shownName('PID7740019-seg.nii.gz')).toBe('…-seg.nii.gz');
    expect(shownName('12345678.dcm')).toBe('….dcm');
    for (const kept of ['R01-001_1.fastq.gz', 'SRR1039508_2.fastq', 'IM-0001-0042.dcm', 'segmentation.dcm']) {
      expect(shownName(kept)).toBe(kept);
    }
  });
});
