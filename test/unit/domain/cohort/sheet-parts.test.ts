import { describe, expect, it } from 'vitest';
import {
  checkPaths,
  describeFault,
  pages,
  readCohortSheet,
  sheetError,
  SHEET_COLUMN_RULES,
  SHEET_COLUMNS,
  validSheetCsv,
} from '../../../../src/domain/cohort/index.js';
import { CohortflowError } from '../../../../src/domain/errors.js';
import { resolvePath, shownPath } from '../../../../src/domain/cohort/sheet-paths.js';
import { TextIndex } from '../../../../src/domain/cohort/text-index.js';

const SHEET = [
  'case_id,study_id,date,imaging,image,mask,label,fastq_1,fastq_2,strandedness,sra,quant,site',
  'A,,2020-01-02,ct/a,,,,a_L1_1.fq.gz,a_L1_2.fq.gz,reverse,,,"north, upper"',
  'A,,,,,,,a_L2_1.fq.gz,a_L2_2.fq.gz,,,,',
  'B,pre,2020-01-02,,b.nii,bm.nii,3,,,,SRR0000001,,',
  'B,post,2020-02-02,ct/b2,,,,,,,,,',
  'C,,,,,,,,,,,q/quant.sf,south',
  'D,,,,,,,,,,,,',
].join('\n');

const reading = readCohortSheet(SHEET, { base: '/d' });

describe('the normalised sheet', () => {
  it('has absolute paths, one row per study and lane, and only the columns in use', () => {
    expect(reading.faults).toEqual([]);
    expect(validSheetCsv(reading.manifest).split('\n')).toEqual([
      'case_id,study_id,date,imaging,image,mask,label,fastq_1,fastq_2,strandedness,sra,quant,site',
      'A,,2020-01-02,/d/ct/a,,,,/d/a_L1_1.fq.gz,/d/a_L1_2.fq.gz,reverse,,,"north, upper"',
      'A,,,,,,,/d/a_L2_1.fq.gz,/d/a_L2_2.fq.gz,reverse,,,"north, upper"',
      'B,pre,2020-01-02,,/d/b.nii,/d/bm.nii,3,,,,,,',
      'B,post,2020-02-02,/d/ct/b2,,,,,,,,,',
      'B,,,,,,,,,auto,SRR0000001,,',
      'C,,,,,,,,,,,/d/q/quant.sf,south',
      'D,,,,,,,,,,,,',
      '',
    ]);
  });

  it('reads back as the same cohort', () => {
    const again = readCohortSheet(validSheetCsv(reading.manifest), { base: '/elsewhere' });
    expect(again.faults).toEqual([]);
    expect(again.manifest).toEqual(reading.manifest);
  });
});

describe('pages', () => {
  it('hands out every unit once, in order', () => {
    const { manifest } = readCohortSheet(
      ['case_id,imaging', ...[1, 2, 3, 4, 5].map((n) => `C${n},x/${n}`)].join('\n'),
      {
        base: '/d',
      },
    );
    expect([...pages(manifest, 'imaging', 2)].map((page) => page.map(({ caseId }) => caseId))).toEqual([
      ['C1', 'C2'],
      ['C3', 'C4'],
      ['C5'],
    ]);
    expect([...pages(manifest, 'genomics', 2)]).toEqual([]);
    expect(() => [...pages(manifest, 'imaging', 0)]).toThrow(RangeError);
  });
});

describe('checkPaths', () => {
  it('names what is not there, what is a folder and what is empty, with the rows of the sheet', async () => {
    const there: Readonly<Record<string, { kind: 'file' | 'folder'; size: number }>> = {
      '/d/ct/a': { kind: 'folder', size: 0 },
      '/d/a_L1_1.fq.gz': { kind: 'file', size: 9 },
      '/d/a_L1_2.fq.gz': { kind: 'file', size: 0 },
      '/d/a_L2_1.fq.gz': { kind: 'folder', size: 0 },
      '/d/a_L2_2.fq.gz': { kind: 'file', size: 9 },
      '/d/b.nii': { kind: 'file', size: 9 },
      '/d/bm.nii': { kind: 'file', size: 9 },
      '/d/q/quant.sf': { kind: 'file', size: 9 },
    };
    const asked: string[] = [];
    const stat = (path: string): Promise<{ kind: 'file' | 'folder'; size: number } | undefined> => {
      asked.push(path);
      return Promise.resolve(there[path]);
    };
    const faults = await checkPaths(reading.manifest, stat, reading.placeOf);
    expect(faults.map(({ kind, row, column }) => [kind, row, column])).toEqual([
      ['EmptyFile', 2, 'fastq_2'],
      ['WrongPathKind', 3, 'fastq_1'],
      ['PathNotFound', 5, 'imaging'],
    ]);
    expect(faults[2]?.message).toBe("case B: b2 does not exist; paths start at the sheet's folder");
    expect(asked).not.toContain('SRR0000001');
  });

  it('names row and case of what may not be read, or whose bucket is not there, and looks at the rest', async () => {
    const sheet = 'case_id,imaging\nA,s3://theirs/a\nB,s3://gone/b\nC,s3://bucket/c\n';
    const reading = readCohortSheet(sheet, { base: '/d' });
    const stat = (path: string): Promise<undefined> => {
      if (path.startsWith('s3://theirs/')) {
        const details = { action: 's3:GetObject and s3:ListBucket' };
        return Promise.reject(new CohortflowError('AwsDenied', 'not allowed', details));
      }
      if (path.startsWith('s3://gone/')) return Promise.reject(new CohortflowError('FileNotFound', 'no bucket'));
      return Promise.resolve(undefined);
    };
    const faults = await checkPaths(reading.manifest, stat, reading.placeOf);
    expect(faults.map(({ kind, row, column }) => [kind, row, column])).toEqual([
      ['PathNotAllowed', 2, 'imaging'],
      ['PathNotFound', 3, 'imaging'],
      ['PathNotFound', 4, 'imaging'],
    ]);
    expect(faults[0]?.message).toMatch(/^case A: a may not be read; .*\(s3:GetObject and s3:ListBucket\)$/);
    const outage = (): Promise<undefined> => Promise.reject(new CohortflowError('AwsUnavailable', 'no answer'));
    await expect(checkPaths(reading.manifest, outage)).rejects.toMatchObject({ code: 'AwsUnavailable' });
  });

  it('looks in S3 as anywhere else', async () => {
    const { manifest } = readCohortSheet('case_id,imaging\nA,s3://bucket/a\n', { base: '/d' });
    const faults = await checkPaths(manifest, () => Promise.resolve(undefined));
    expect(faults).toMatchObject([{ kind: 'PathNotFound', column: 'imaging' }]);
    expect(await checkPaths(manifest, () => Promise.resolve({ kind: 'folder', size: 0 }))).toEqual([]);
  });
});

describe('the error of a sheet', () => {
  it('shows the first faults and counts the rest', () => {
    const { faults, faultCount } = readCohortSheet(['case_id', ...Array.from({ length: 30 }, () => 'a b')].join('\n'), {
      base: '/d',
    });
    const error = sheetError('cohort.csv', faults, faultCount);
    expect(error.code).toBe('InvalidSheet');
    const lines = error.message.split('\n');
    expect(lines[0]).toBe('cohort.csv: 30 faults, nothing was started');
    expect(lines[1]).toBe(
      '  row 2, column case_id: the id has a space at position 2; letters A–Z, digits, dots, hyphens and underscores are allowed',
    );
    expect(lines.at(-1)).toBe('  … and 10 more');
    expect(error.details['faultCount']).toBe(30);
  });

  it('describes a fault of the whole sheet without a place', () => {
    expect(describeFault({ kind: 'EmptySheet', message: 'the sheet is empty' })).toBe('the sheet is empty');
  });
});

describe('paths of a sheet', () => {
  it.each([
    ['a/b', '/base', '/base/a/b'],
    ['./a//b/', '/base/', '/base/a/b'],
    ['../a', '/base/x', '/base/a'],
    ['../../../a', '/base', '/a'],
    ['/abs/./a', '/base', '/abs/a'],
    ['file:///abs/a%20b', '/base', '/abs/a b'],
    ['s3://k/p/', '/base', 's3://k/p/'],
    ['a/', 's3://bucket/x', 's3://bucket/x/a/'],
    ['../a', 's3://bucket/x/y', 's3://bucket/x/a'],
    ['a', 's3://bucket', 's3://bucket/a'],
    ['.hidden/..data', '/base', '/base/.hidden/..data'],
  ])('resolves %s against %s', (value, base, expected) => {
    expect(resolvePath(value, base)).toBe(expected);
  });

  it('shows no DICOM UID', () => {
    expect(shownPath('/x/1.3.6.1.4.1.14519.5.2.1/')).toBe('…');
    expect(shownPath('/x/reads_1.fastq.gz')).toBe('reads_1.fastq.gz');
  });
});

describe('TextIndex', () => {
  it('keeps the first number of each of many texts', () => {
    const index = new TextIndex();
    for (let n = 1; n <= 5_000; n += 1) expect(index.findOrAdd(`/data/case-${n}/ct`, n)).toBeUndefined();
    for (let n = 1; n <= 5_000; n += 1) expect(index.findOrAdd(`/data/case-${n}/ct`, 9)).toBe(n);
    expect(index.find('/data/case-0/ct')).toBeUndefined();
  });
});

describe('the column table', () => {
  it('describes every column the sheet knows, once', () => {
    expect(SHEET_COLUMN_RULES.map(({ name }) => name)).toEqual([...SHEET_COLUMNS]);
    expect(SHEET_COLUMN_RULES.filter(({ required }) => required).map(({ name }) => name)).toEqual(['case_id']);
  });
});
