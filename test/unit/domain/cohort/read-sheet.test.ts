import { describe, expect, it } from 'vitest';
import { readCohortSheet, type SheetFault } from '../../../../src/domain/cohort/index.js';

const BASE = '/data/study';

function read(...lines: string[]): ReturnType<typeof readCohortSheet> {
  return readCohortSheet(lines.join('\n'), { base: BASE });
}

function places(faults: readonly SheetFault[]): string[] {
  return faults.map(({ kind, row, column }) => [kind, row ?? '-', column ?? '-'].join(' '));
}

describe('readCohortSheet, a good sheet', () => {
  it('merges the rows of a case: lanes of one sample, one study', () => {
    const { manifest, faults, warnings } = read(
      'case_id,imaging,fastq_1,fastq_2,strandedness,site',
      'A-1,imaging/a,reads/a_L1_1.fq.gz,reads/a_L1_2.fq.gz,auto,north',
      'A-1,,reads/a_L2_1.fq.gz,reads/a_L2_2.fq.gz,,',
      'A-2,imaging/b,,,,south',
    );
    expect(faults).toEqual([]);
    expect(warnings).toEqual([]);
    expect(manifest).toEqual({
      cases: [
        { caseId: 'A-1', carried: { site: 'north' } },
        { caseId: 'A-2', carried: { site: 'south' } },
      ],
      imaging: [
        { modality: 'imaging', caseId: 'A-1', source: { kind: 'dicom', folder: '/data/study/imaging/a' } },
        { modality: 'imaging', caseId: 'A-2', source: { kind: 'dicom', folder: '/data/study/imaging/b' } },
      ],
      genomics: [
        {
          modality: 'genomics',
          caseId: 'A-1',
          source: {
            kind: 'fastq',
            strandedness: 'auto',
            lanes: [
              { fastq1: '/data/study/reads/a_L1_1.fq.gz', fastq2: '/data/study/reads/a_L1_2.fq.gz' },
              { fastq1: '/data/study/reads/a_L2_1.fq.gz', fastq2: '/data/study/reads/a_L2_2.fq.gz' },
            ],
          },
        },
      ],
    });
  });

  it('takes a pyradiomics batch table as it is', () => {
    const { manifest, faults } = read('ID,Image,Mask,Label', 'P1,p1.nii.gz,p1_m.nii.gz,2', 'P2,p2.nii,p2_m.nii,');
    expect(faults).toEqual([]);
    expect(manifest.imaging.map(({ caseId, source }) => [caseId, source])).toEqual([
      ['P1', { kind: 'nifti', image: '/data/study/p1.nii.gz', mask: '/data/study/p1_m.nii.gz', label: 2 }],
      ['P2', { kind: 'nifti', image: '/data/study/p2.nii', mask: '/data/study/p2_m.nii' }],
    ]);
  });

  it('keeps S3 URIs and resolves relative paths against a sheet on S3', () => {
    const text = 'case_id,imaging,sra\nA,s3://other/ct/a/,SRR1234567\nB,../ct/b,runs/x.sra\n';
    const { manifest, faults } = readCohortSheet(text, { base: 's3://bucket/cohorts/one' });
    expect(faults).toEqual([]);
    expect(manifest.imaging.map(({ source }) => source)).toEqual([
      { kind: 'dicom', folder: 's3://other/ct/a/' },
      { kind: 'dicom', folder: 's3://bucket/cohorts/ct/b' },
    ]);
    expect(manifest.genomics.map(({ source }) => source)).toEqual([
      { kind: 'sra', runs: ['SRR1234567'], strandedness: 'auto' },
      { kind: 'sra', runs: ['s3://bucket/cohorts/one/runs/x.sra'], strandedness: 'auto' },
    ]);
  });

  it.each([
    ['semicolons', 'case_id;imaging\nA;x\n'],
    ['tabs', 'case_id\timaging\nA\tx\n'],
    ['CRLF', 'case_id,imaging\r\nA,x\r\n'],
    ['CR', 'case_id,imaging\rA,x\r'],
    ['a byte order mark', '\ufeffcase_id,imaging\nA,x\n'],
    ['quotation marks', '"case_id","imaging"\n"A","x"\n'],
    ['blank rows at the end', 'case_id,imaging\nA,x\n,\n\n'],
    ['the line sep=;', 'sep=;\r\ncase_id;imaging\r\nA;x\r\n'],
    ['spreadsheet spelling of the header', 'Case ID,Imaging\nA,x\n'],
    ['spaces around values', 'case_id , imaging\n A , x \n'],
  ])('reads a sheet with %s', (_, text) => {
    const { manifest, faults } = readCohortSheet(text, { base: BASE });
    expect(faults).toEqual([]);
    expect(manifest.imaging).toEqual([
      { modality: 'imaging', caseId: 'A', source: { kind: 'dicom', folder: '/data/study/x' } },
    ]);
  });

  it('reads UTF-16 with a byte order mark, as Excel’s Unicode text is', () => {
    const text = '\ufeffcase_id\timaging\tnote\r\nA\tx\tgrüß\r\n';
    const bytes = new Uint8Array(Buffer.from(text, 'utf16le'));
    expect(readCohortSheet(bytes, { base: BASE }).manifest.cases).toEqual([{ caseId: 'A', carried: { note: 'grüß' } }]);
  });

  it('tells studies and samples apart by id', () => {
    const { manifest, faults } = read(
      'case_id,study_id,sample_id,date,imaging,quant',
      'A,pre,tumour,2020-01-02,x/1,q/1.sf',
      'A,post,normal,2020-03-02,x/2,q/2.sf',
    );
    expect(faults).toEqual([]);
    expect(manifest.imaging.map(({ studyId, date }) => [studyId, date])).toEqual([
      ['pre', '2020-01-02'],
      ['post', '2020-03-02'],
    ]);
    expect(manifest.genomics.map(({ sampleId }) => sampleId)).toEqual(['tumour', 'normal']);
  });

  it('numbers studies that only their dates tell apart, and puts no date into an id', () => {
    const { manifest, faults } = read('case_id,date,imaging', 'A,2021-05-01,x/2', 'A,2020-05-01,x/1', 'B,2020-05-01,y');
    expect(faults).toEqual([]);
    expect(manifest.imaging.map(({ caseId, studyId, date }) => [caseId, studyId, date])).toEqual([
      ['A', 'study-2', '2021-05-01'],
      ['A', 'study-1', '2020-05-01'],
      ['B', undefined, '2020-05-01'],
    ]);
  });

  it('lets a row per study repeat the reads of the case', () => {
    const { manifest, faults } = read(
      'case_id,study_id,imaging,fastq_1,fastq_2',
      'A,one,x/1,a_1.fastq,a_2.fastq',
      'A,two,x/2,a_1.fastq,a_2.fastq',
    );
    expect(faults).toEqual([]);
    expect(manifest.genomics).toHaveLength(1);
    expect(manifest.genomics[0]?.source).toMatchObject({ lanes: [{ fastq1: '/data/study/a_1.fastq' }] });
  });

  it('takes one image with two masks, or one mask with two labels, as two studies', () => {
    const { manifest, faults } = read(
      'case_id,study_id,image,mask,label',
      'A,core,i.nii,m.nii,1',
      'A,rim,i.nii,m.nii,2',
      'B,a,j.nii,m1.nii,',
      'B,b,j.nii,m2.nii,',
    );
    expect(faults).toEqual([]);
    expect(manifest.imaging).toHaveLength(4);
  });

  it('carries columns named like properties of objects', () => {
    const { manifest } = read('case_id,__proto__,constructor', 'A,x,y');
    expect(Object.entries(manifest.cases[0]!.carried)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });

  it('warns of ids that a spreadsheet may have changed and of mates that look swapped', () => {
    const { faults, warnings } = read('case_id,fastq_1,fastq_2', '1-Sep,a_R2.fastq.gz,a_R1.fastq.gz');
    expect(faults).toEqual([]);
    expect(warnings.map(({ kind, row }) => [kind, row])).toEqual([
      ['IdLooksMangled', 2],
      ['MatesLookSwapped', 2],
    ]);
  });
});

describe('readCohortSheet, faults', () => {
  it('finds all faults of all rows at once, with their rows', () => {
    const long = 'x'.repeat(65);
    const { faults, faultCount } = read(
      'case_id,imaging,image,mask,label,fastq_1,fastq_2,strandedness,sra,quant,site',
      ',ct/2,,,,,,,,,',
      'Doe John,ct/3,,,,,,,,,',
      `${long},ct/4,,,,,,,,,`,
      'R01-5,,,,,,,,,,',
      'r01-5,,,,,,,,,,',
      'R01-7,,,,,a_1.fastq,a_2.fastq,sideways,,,',
      'R01-8,,,,,,b_2.fastq,,,,',
      'R01-9,,,,,c.fastq,c.fastq,,,,',
      'R01-10,ct/10,i.nii,m.nii,,,,,,,',
      'R01-11,,i11.nii,,,,,,,,',
      'R01-12,,,,,d.fastq,,,SRR1234567,,',
      ',,,,,,,,,,',
      'R01-14,ct/14,,',
      'R01-15,,,,,reads.bam,,,,,',
      'R01-16,,,,,a_1.fastq,e_2.fastq,,,,',
      'R01-17,NA,,,,,,,,,',
      'R01-18,,,,,,,,SRX12345,,',
      'R01-19,,i19.nii,m19.nii,tumour,,,,,,',
      'R01-20,ct/20,,,,,,,,,=1+1',
      'R01-21,ct/21,,,,,,,,,a\u0007b',
      'R01-22,https://host/ct,,,,,,,,,',
      'R01-23,,,,,f_1.fastq,f_2.fastq,,,q.sf,',
      'R01-24,ct/24,,,1,,,,,,',
      '1.2E+05,ct/25,,,,,,,,,',
    );
    expect(places(faults)).toEqual([
      'MissingCaseId 2 case_id',
      'BadId 3 case_id',
      'IdTooLong 4 case_id',
      'IdsDifferInCaseOnly 6 case_id',
      'UnknownStrandedness 7 strandedness',
      'MateWithoutFirst 8 fastq_1',
      'SameFileTwice 9 fastq_2',
      'ImagingGivenTwice 10 imaging',
      'ImageWithoutMask 11 mask',
      'ReadsGivenTwice 12 sra',
      'EmptyRow 13 -',
      'RaggedRow 14 -',
      'WrongExtension 15 fastq_1',
      'SameFileTwice 16 fastq_1',
      'PlaceholderValue 17 imaging',
      'BadAccession 18 sra',
      'BadLabel 19 label',
      'FormulaCell 20 site',
      'ControlCharacter 21 site',
      'BadPath 22 imaging',
      'ReadsGivenTwice 23 quant',
      'LabelWithoutMask 24 label',
      'BadId 25 case_id',
    ]);
    expect(faultCount).toBe(faults.length);
    // A bad id may be a name: it is not repeated.
    expect(JSON.stringify(faults)).not.toMatch(/Doe|John|a\u0007b|1\+1/);
  });

  it.each([
    ['another column with two values', ['case_id,site', 'A,x', 'B,x', 'A,y'], 'ConflictingValue 4 site'],
    ['two folders for one study', ['case_id,imaging', 'A,x', 'A,y'], 'ConflictingValue 3 imaging'],
    ['one folder for two cases', ['case_id,imaging', 'A,x', 'B,./x/'], 'SameFileTwice 3 imaging'],
    ['a lane given twice', ['case_id,fastq_1', 'A,x.fq', 'A,x.fq'], 'SameFileTwice 3 fastq_1'],
    [
      'a second mate given twice',
      ['case_id,fastq_1,fastq_2', 'A,x_1.fq,x_2.fq', 'A,y_1.fq,x_2.fq'],
      'SameFileTwice 3 fastq_2',
    ],
    ['a mate used as first mate elsewhere', ['case_id,fastq_1', 'A,x.fq', 'B,x.fq'], 'SameFileTwice 3 fastq_1'],
    [
      'single-end beside paired lanes',
      ['case_id,fastq_1,fastq_2', 'A,x_1.fq,x_2.fq', 'A,y_1.fq,'],
      'MixedLayout 3 fastq_2',
    ],
    [
      'ids that differ in case, and compares no further',
      ['case_id,imaging', 'A,x', 'a,y'],
      'IdsDifferInCaseOnly 3 case_id',
    ],
    ['a study without its id', ['case_id,study_id,imaging', 'A,s,x', 'A,,y'], 'StudyNotTold 3 study_id'],
    [
      'a study without its date',
      ['case_id,date,imaging', 'A,,x', 'A,2020-01-01,x', 'A,2021-01-01,y'],
      'StudyNotTold 2 date',
    ],
    ['study ids that differ in case', ['case_id,study_id,imaging', 'A,s,x', 'A,S,x'], 'IdsDifferInCaseOnly 3 study_id'],
    [
      'strandedness told twice',
      ['case_id,fastq_1,strandedness', 'A,x.fq,auto', 'A,y.fq,forward'],
      'ConflictingValue 3 strandedness',
    ],
    ['a NIfTI file as a study', ['case_id,imaging', 'A,x.nii.gz'], 'WrongExtension 2 imaging'],
    ['a cell beyond the header', ['case_id,imaging', 'A,x,y'], 'RaggedRow 2 -'],
    ['a value in a column without name', ['case_id,,imaging', 'A,,x', 'B,z,y'], 'UnnamedColumn 3 -'],
    ['a column named twice', ['case_id,site,site', 'A,x,y'], 'DuplicateColumn 1 site'],
    ['a known column named twice', ['case_id,imaging,Imaging', 'A,x,y'], 'DuplicateColumn 1 imaging'],
    ['fastq1 for fastq_1', ['case_id,fastq1', 'A,x.fq'], 'LikelyMisnamedColumn 1 fastq1'],
    ['a slip in strandedness', ['case_id,strandednes', 'A,auto'], 'LikelyMisnamedColumn 1 strandednes'],
    ['patient for case_id', ['patient,imaging', 'A,x'], 'MissingIdColumn 1 -'],
    ['no header', ['R01-001,/data/x', 'R01-002,/data/y'], 'MissingIdColumn 1 -'],
    ['nothing', [''], 'EmptySheet - -'],
    ['a header only', ['case_id,imaging', '', ''], 'NoRows - -'],
    [
      'an open quotation mark, and reads on',
      ['case_id,imaging', 'A,x', 'B,"y', 'a b,z'],
      'NotCsv 3 -, BadId 4 case_id',
    ],
    ['a quotation mark inside a value', ['case_id,imaging', 'A,x"1"', 'C,"z"'], 'NotCsv 2 -'],
    ['a path with ~', ['case_id,imaging', 'A,~/x'], 'BadPath 2 imaging'],
    ['a Windows path', ['case_id,imaging', 'A,C:\\x'], 'BadPath 2 imaging'],
    ['a bucket that is none', ['case_id,imaging', 'A,s3://Bad_Bucket/x'], 'BadPath 2 imaging'],
    ['a place in S3 with one slash', ['case_id,imaging', 'A,s3:/bucket/x'], 'BadPath 2 imaging'],
    ['a place in S3 in capitals', ['case_id,imaging', 'A,S3://bucket/x'], 'BadPath 2 imaging'],
  ])('refuses %s', (_, lines, expected) => {
    expect(places(read(...lines).faults).join(', ')).toBe(expected);
  });

  it('answers other tools’ words for strandedness with the right one', () => {
    const { faults } = read('case_id,fastq_1,strandedness', 'A,a.fq,ISR');
    expect(faults[0]?.message).toContain('`ISR` is `reverse` here');
  });

  it('names the row of an undecodable byte', () => {
    const bytes = new Uint8Array([...Buffer.from('case_id,site\nA,M'), 0xfc, ...Buffer.from('nchen\n')]);
    expect(places(readCohortSheet(bytes, { base: BASE }).faults)).toEqual(['NotUtf8 2 -']);
  });

  it('says that a workbook is no CSV', () => {
    const { faults } = readCohortSheet(new Uint8Array([0x50, 0x4b, 3, 4, 20]), { base: BASE });
    expect(places(faults)).toEqual(['NotText - -']);
    expect(faults[0]?.message).toContain('save it as CSV');
  });

  it('keeps ten thousand faults and counts the others', () => {
    const { faults, faultCount } = read('case_id', ...Array.from({ length: 12_000 }, () => 'a b'));
    expect(faults).toHaveLength(10_000);
    expect(faultCount).toBe(12_000);
  });
});

describe('readCohortSheet, large sheets', () => {
  it('reads 100,000 cases, and finds the one file that two of them share', () => {
    const rows = Array.from({ length: 100_000 }, (_, n) => `C${n},ct/${n},r/${n}_1.fq.gz,r/${n}_2.fq.gz`);
    rows[99_999] = 'C99999,ct/17,r/x_1.fq.gz,r/x_2.fq.gz';
    const { manifest, faults } = read('case_id,imaging,fastq_1,fastq_2', ...rows);
    expect(manifest.genomics).toHaveLength(100_000);
    expect(places(faults)).toEqual(['SameFileTwice 100001 imaging']);
    expect(faults[0]?.message).toContain('case C17 (row 19, column imaging)');
  });

  it('takes no longer when a wrong id column makes one case of all rows', () => {
    const rows = Array.from({ length: 30_000 }, (_, n) => `P,s${n},ct/${n},r/${n}_1.fq.gz,r/${n}_2.fq.gz`);
    const { manifest, faults } = read('case_id,study_id,imaging,fastq_1,fastq_2', ...rows);
    expect(faults).toEqual([]);
    expect(manifest.imaging).toHaveLength(30_000);
    expect(manifest.genomics).toHaveLength(1);
  }, 10_000);
});
