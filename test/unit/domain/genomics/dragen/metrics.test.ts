import { describe, expect, it } from 'vitest';
import { dragenMetrics } from '../../../../../src/domain/genomics/dragen/index.js';

const MAPPING = [
  'MAPPING/ALIGNING SUMMARY,,Total input reads,40201844,100.00',
  'MAPPING/ALIGNING SUMMARY,,Number of duplicate marked and mate reads removed,NA',
  'MAPPING/ALIGNING SUMMARY,,Mapped reads,37226909,92.60',
  'MAPPING/ALIGNING PER RG,R01-001,Total reads in RG,40201844,100.00',
  'MAPPING/ALIGNING PER RG,R01-001,Mapped reads,1,1.00',
  '',
];
const QUANTIFICATION = [
  'RNA QUANTIFICATION STATISTICS,,Library orientation,ISR',
  'RNA QUANTIFICATION STATISTICS,,Total Genes,60603',
  'RNA QUANTIFICATION STATISTICS,,Transcript fragments,17011204,84.63',
  '',
];
const NOTHING = { mappedPercent: null, reads: null, fragments: null, libraryType: null };

describe('dragenMetrics', () => {
  it.each([
    ['\n', 'Unix'],
    ['\r\n', 'Windows'],
  ])('reads what stands for the whole sample, never a read group (lines end in %j, as on %s)', (end) => {
    expect(dragenMetrics(MAPPING.join(end), QUANTIFICATION.join(end))).toEqual({
      mappedPercent: 92.6,
      reads: 40_201_844,
      fragments: 17_011_204,
      libraryType: 'ISR',
    });
  });

  it('knows nothing of files that are not there, and the one file without the other', () => {
    expect(dragenMetrics('', '')).toEqual(NOTHING);
    expect(dragenMetrics(MAPPING.join('\n'), '')).toMatchObject({ reads: 40_201_844, fragments: null });
    expect(dragenMetrics('', QUANTIFICATION.join('\n'))).toMatchObject({ reads: null, libraryType: 'ISR' });
  });

  it.each([
    ['of another kind', '{"dragenVersion":"4.6"}'],
    ['of bytes', '\u0000\u0001BAM\u0001,\u0000,,,\n,,,,'],
    ['cut off in a line', 'MAPPING/ALIGNING SUMMARY,,Total inp'],
    ['cut off before the value', 'MAPPING/ALIGNING SUMMARY,,Total input reads'],
    ['of another section', 'TRIMMER STATISTICS,,Total input reads,10\nTRIMMER STATISTICS,,Mapped reads,9,90'],
  ])('guesses nothing from files %s', (_what, text) => {
    expect(dragenMetrics(text, text)).toEqual(NOTHING);
  });

  it.each(['NA', '', ' ', 'n/a', 'inf', 'Infinity', '1e999', '12 345', '1.2.3'])('takes %j for no number', (value) => {
    const mapping = `MAPPING/ALIGNING SUMMARY,,Total input reads,${value}\nMAPPING/ALIGNING SUMMARY,,Mapped reads,7,${value}`;
    const quantification = `RNA QUANTIFICATION STATISTICS,,Transcript fragments,${value}`;
    expect(dragenMetrics(mapping, quantification)).toEqual(NOTHING);
  });

  it('has no share of mapped reads where the file gives none', () => {
    expect(dragenMetrics('MAPPING/ALIGNING SUMMARY,,Mapped reads,7', '').mappedPercent).toBeNull();
  });
});
