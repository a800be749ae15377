import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { joinDatasetStep } from '../../../../src/steps/cohort/join-dataset.js';
import { offlinePath, writeFeatureGroupStep } from '../../../../src/steps/cohort/write-feature-group.js';
import { readCsv } from '../../../support/csv.js';
import { runStep, temporaryFolder } from '../../../support/run-step.js';

const EVENT = { eventTime: '2026-03-04T05:06:07Z', runId: 'run-1' };

function file(name: string, text: string): string {
  const path = join(temporaryFolder('tables'), name);
  writeFileSync(path, text);
  return path;
}

const lines = (...items: unknown[]): string => items.map((item) => `${JSON.stringify(item)}\n`).join('');

function features(values: Record<string, number | null>): { path: string; sha256: string } {
  const path = join(temporaryFolder('features'), 'features.json');
  writeFileSync(path, JSON.stringify(values));
  return { path, sha256: 'x' };
}

async function parquetRows(path: string): Promise<Record<string, unknown>[]> {
  const connection = await (await DuckDBInstance.create()).connect();
  const found = await connection.runAndReadAll(`SELECT * FROM read_parquet('${path}')`);
  return found.getRowObjects();
}

describe('features.write', () => {
  it('puts one file where SageMaker’s offline store would, the same for the same run', () => {
    const path = offlinePath('imaging', EVENT.eventTime, 'run-1');
    expect(path).toMatch(/^data\/year=2026\/month=03\/day=04\/hour=05\/20260304T050607Z_[0-9a-f]{16}\.parquet$/);
    expect(offlinePath('imaging', EVENT.eventTime, 'run-1')).toBe(path);
    expect(offlinePath('imaging', EVENT.eventTime, 'run-2')).not.toBe(path);
  });

  it('writes a row per study with the union of the columns, nulls where a study has none', async () => {
    const list = file(
      'list.jsonl',
      lines(
        { caseId: 'A', part: '', outputs: [features({ original_x: 1.5, original_y: null })] },
        { caseId: 'B', part: '', date: '2001', outputs: [features({ original_z: 2 })] },
      ),
    );
    const params = { group: 'imaging', recordIdentifier: 'Case_ID', eventTimeName: 'timestamp', ...EVENT };
    const { folder, outputs, summary } = await runStep(writeFeatureGroupStep, params, { rows: [list] });
    expect(summary.rows).toBe(2);
    const rows = await parquetRows(join(folder, outputs[0]!));
    expect(rows[0]).toMatchObject({
      Case_ID: 'A',
      original_x: 1.5,
      original_y: null,
      original_z: null,
      scan_date: null,
    });
    expect(rows[1]).toMatchObject({ Case_ID: 'B', scan_date: '2001', timestamp: EVENT.eventTime, is_deleted: 'false' });
  });

  it('writes the clinical table under the names that the request gives', async () => {
    const table = file('features.csv', 'Age,Case_ID,Sex\n70,A,f\n,B,m\n');
    const params = { group: 'clinical', recordIdentifier: 'Subject', eventTimeName: 'EventTime', ...EVENT };
    const { folder, outputs } = await runStep(writeFeatureGroupStep, params, { rows: [table] });
    const rows = await parquetRows(join(folder, outputs[0]!));
    expect(rows.map(({ Subject, Age, Sex }) => [Subject, Age, Sex])).toEqual([
      ['A', 70, 'f'],
      ['B', null, 'm'],
    ]);
  });

  it('takes the identifier from the column that it is told, and from no other', async () => {
    const table = file('features.csv', 'Sex_f,pid,Age\n1,A,70\n0,B,60\n');
    const params = { group: 'clinical', recordIdentifier: 'Case_ID', eventTimeName: 'timestamp', ...EVENT };
    const { folder, outputs } = await runStep(writeFeatureGroupStep, { ...params, idColumn: 'pid' }, { rows: [table] });
    const rows = await parquetRows(join(folder, outputs[0]!));
    expect(rows.map(({ Case_ID, Age, Sex_f }) => [Case_ID, Age, Number(Sex_f)])).toEqual([
      ['A', 70, 1],
      ['B', 60, 0],
    ]);
    await expect(runStep(writeFeatureGroupStep, params, { rows: [table] })).rejects.toMatchObject({
      code: 'InternalError',
    });
  });

  it('gives every study of a case an identifier of its own', async () => {
    const list = file(
      'list.jsonl',
      lines(
        { caseId: 'A', part: 'pre', outputs: [features({ x: 1 })] },
        { caseId: 'A', part: 'post', outputs: [features({ x: 2 })] },
      ),
    );
    const params = { group: 'imaging', recordIdentifier: 'Case_ID', eventTimeName: 'timestamp', ...EVENT };
    const { folder, outputs } = await runStep(writeFeatureGroupStep, params, { rows: [list] });
    const rows = await parquetRows(join(folder, outputs[0]!));
    expect(rows.map(({ Case_ID, subject_id, study_id, x }) => [Case_ID, subject_id, study_id, x])).toEqual([
      ['A/pre', 'A', 'pre', 1],
      ['A/post', 'A', 'post', 2],
    ]);
  });

  it('takes for features of segments what is named so, whatever the folders are called', async () => {
    const folder = join(temporaryFolder('features-of-mine'), 'features-out', 'A');
    mkdirSync(folder, { recursive: true });
    const put = (name: string, values: object): { path: string; sha256: string } => {
      writeFileSync(join(folder, name), JSON.stringify(values));
      return { path: join(folder, name), sha256: 'x' };
    };
    const outputs = [
      put('features.json', { x: 1 }),
      put('features-Core.json', { x: 2 }),
      put('geometry.json', { y: [3] }),
    ];
    const list = file('list.jsonl', lines({ caseId: 'A', part: '', outputs }));
    const params = { group: 'imaging_segments', recordIdentifier: 'Case_ID', eventTimeName: 'timestamp', ...EVENT };
    const made = await runStep(writeFeatureGroupStep, params, { rows: [list] });
    const rows = await parquetRows(join(made.folder, made.outputs[0]!));
    expect(rows.map(({ Case_ID, segment, x }) => [Case_ID, segment, x])).toEqual([['A/Core', 'Core', 2]]);
  });

  it('leaves beside the rows what the columns were called, and what they hold', async () => {
    const table = file('features.csv', 'Weight (kg),Case_ID,Flag,Sex\n70.0,A,1,f\n,B,0,m\n');
    const params = { group: 'clinical', recordIdentifier: 'Case_ID', eventTimeName: 'timestamp', ...EVENT };
    const { folder, outputs } = await runStep(writeFeatureGroupStep, params, { rows: [table] });
    expect(outputs[1]).toBe('schema.json');
    const schema = JSON.parse(readFileSync(join(folder, 'schema.json'), 'utf8')) as Record<string, unknown>;
    expect(schema).toMatchObject({ group: 'clinical', recordIdentifier: 'Case_ID', eventTimeName: 'timestamp' });
    expect(schema['columns']).toEqual([
      { name: 'Case_ID', from: 'Case_ID', type: 'String', role: 'id' },
      { name: 'Weight__kg', from: 'Weight (kg)', type: 'Fractional', role: 'feature', floats: true },
      { name: 'Flag', from: 'Flag', type: 'Integral', role: 'feature' },
      { name: 'Sex', from: 'Sex', type: 'String', role: 'feature' },
    ]);
  });

  it('refuses columns that the store could not tell apart', async () => {
    const table = file('features.csv', 'Case_ID,a.b,a_B\nA,1,2\n');
    const params = { group: 'clinical', recordIdentifier: 'Case_ID', eventTimeName: 'timestamp', ...EVENT };
    await expect(runStep(writeFeatureGroupStep, params, { rows: [table] })).rejects.toMatchObject({
      code: 'FeatureNameCollision',
    });
  });
});

describe('dataset.join', () => {
  const unit = (more: Record<string, unknown>): Record<string, unknown> => ({
    part: '',
    status: 'done',
    code: '',
    files: [],
    ...more,
  });

  it('has exactly the sheet’s cases, each with a status and a reason for every modality', async () => {
    const cases = file(
      'cases.jsonl',
      lines(
        { caseId: 'C', carried: { site: 'x, y' }, imaging: [unit({ files: [features({ f: 0.25 })] })], genomics: [] },
        {
          caseId: 'A',
          carried: { site: '' },
          imaging: [unit({ status: 'failed', code: 'SegNotFound' })],
          genomics: [],
        },
        { caseId: 'B', carried: { site: '' }, imaging: [], genomics: [unit({ files: [features({})] })] },
      ),
    );
    const clinical = file('features.csv', 'Case_ID,Age\nA,70\nZ,1\n');
    const dropped = file('dropped.csv', 'case_id,row,reason\nC,4,"Weight is ""Not Collected"""\n');
    const expression = file('expression-tpm.csv', 'case_id,G1,G2\nB,1.5,0\n');
    const inputs = { cases: [cases], clinical: [clinical], dropped: [dropped], expression: [expression] };
    const { folder } = await runStep(joinDatasetStep, {}, inputs);
    const rows = readCsv(join(folder, 'dataset.csv'));
    expect(rows.map((row) => row['case_id'])).toEqual(['C', 'A', 'B']);
    expect(rows[0]).toMatchObject({
      imaging_status: 'done',
      genomics_status: 'absent',
      genomics_reason: 'NotInSheet',
      clinical_status: 'dropped',
      clinical_reason: 'Weight is "Not Collected"',
      site: 'x, y',
      f: '0.25',
      G1: '',
    });
    expect(rows[1]).toMatchObject({ imaging_status: 'failed', imaging_reason: 'SegNotFound', Age: '70', f: '' });
    expect(rows[2]).toMatchObject({ clinical_status: 'absent', clinical_reason: 'NotInClinicalTable', G1: '1.5' });
    expect(await parquetRows(join(folder, 'dataset.parquet'))).toHaveLength(3);
  });

  it('takes the study with the latest date, and says that there are others', async () => {
    const studies = [
      unit({ part: 'late', date: '2002-01-01', files: [features({ f: 2 })] }),
      unit({ part: 'early', date: '2001-01-01', files: [features({ f: 1 })] }),
    ];
    const cases = file('cases.jsonl', lines({ caseId: 'A', carried: {}, imaging: studies, genomics: [] }));
    const { folder } = await runStep(joinDatasetStep, {}, { cases: [cases] });
    expect(readCsv(join(folder, 'dataset.csv'))[0]).toMatchObject({
      f: '2',
      imaging_reason: '2 in the sheet, this is late',
    });
  });

  it.each([
    ['days and months first have no order: the first of the sheet', '01.06.2020', '31.12.2019', '1'],
    ['with and without hyphens', '2020-01-02', '20200101', '1'],
    ['with a time', '20200101', '2020-01-02T08:00', '2'],
    ['of one study alone', undefined, '2020-01-02', '2'],
  ])('compares dates by what they mean: %s', async (_, one, two, expected) => {
    const dated = (date: string | undefined): object => (date === undefined ? {} : { date });
    const studies = [
      unit({ part: 'a', ...dated(one), files: [features({ f: 1 })] }),
      unit({ part: 'b', ...dated(two), files: [features({ f: 2 })] }),
    ];
    const cases = file('cases.jsonl', lines({ caseId: 'A', carried: {}, imaging: studies, genomics: [] }));
    const { folder } = await runStep(joinDatasetStep, {}, { cases: [cases] });
    expect(readCsv(join(folder, 'dataset.csv'))[0]).toMatchObject({ f: expected });
  });

  it('has the clinical cases without a sheet, and both with the union', async () => {
    const clinical = file('features.csv', 'Case_ID,Age\nA,70\nZ,1\n');
    const alone = await runStep(joinDatasetStep, {}, { clinical: [clinical] });
    expect(readCsv(join(alone.folder, 'dataset.csv')).map((row) => row['case_id'])).toEqual(['A', 'Z']);
    const cases = file('cases.jsonl', lines({ caseId: 'B', carried: {}, imaging: [], genomics: [] }));
    const both = await runStep(joinDatasetStep, { population: 'union' }, { cases: [cases], clinical: [clinical] });
    expect(readCsv(join(both.folder, 'dataset.csv')).map((row) => row['case_id'])).toEqual(['B', 'A', 'Z']);
  });

  it('tells apart columns of one name', async () => {
    const cases = file(
      'cases.jsonl',
      lines({ caseId: 'A', carried: { Age: 'old' }, imaging: [unit({ files: [features({ Age: 3 })] })], genomics: [] }),
    );
    const clinical = file('features.csv', 'Case_ID,Age\nA,70\n');
    const { folder } = await runStep(joinDatasetStep, {}, { cases: [cases], clinical: [clinical] });
    const header = readFileSync(join(folder, 'dataset.csv'), 'utf8').split('\n')[0];
    expect(header).toContain(',Age,clinical_Age,imaging_Age');
  });

  it('reads features of many cases ahead and puts each in its own row, whatever names come late', async () => {
    const many = Array.from({ length: 100 }, (_, index) => ({
      caseId: `C${index}`,
      carried: index === 50 ? { late: 'yes' } : {},
      imaging: [unit({ files: [features(index === 99 ? { f: index, last: 1 } : { f: index })] })],
      genomics: [],
    }));
    const { folder } = await runStep(joinDatasetStep, {}, { cases: [file('cases.jsonl', lines(...many))] });
    const rows = readCsv(join(folder, 'dataset.csv'));
    expect(rows.map((row) => row['f'])).toEqual(many.map((_, index) => String(index)));
    expect([rows[49]?.['late'], rows[50]?.['late']]).toEqual(['', 'yes']);
    expect([rows[98]?.['last'], rows[99]?.['last']]).toEqual(['', '1']);
  });

  it('takes the first of several samples of a case, and tells when expression is in another order', async () => {
    const one = (caseId: string): Record<string, unknown> => ({ caseId, carried: {}, imaging: [], genomics: [] });
    const cases = file('cases.jsonl', lines(one('A'), one('B'), one('C')));
    const matrix = 'case_id,sample_id,G1,G2\nA,one,1,2\nA,two,3,4\nC,,5,6\n';
    const inputs = { cases: [cases], expression: [file('tpm.csv', matrix)] };
    const { folder } = await runStep(joinDatasetStep, { genes: ['G2'] }, inputs);
    expect(readCsv(join(folder, 'dataset.csv')).map((row) => row['G2'])).toEqual(['2', '', '6']);
    const shuffled = { cases: [cases], expression: [file('other.csv', 'case_id,G1\nC,5\nA,1\n')] };
    await expect(runStep(joinDatasetStep, {}, shuffled)).rejects.toMatchObject({ code: 'InternalError' });
  });

  it('joins a clinical table by the id column that it is told, and takes no other in its place', async () => {
    const cases = file('cases.jsonl', lines({ caseId: 'A', carried: {}, imaging: [], genomics: [] }));
    const inputs = { cases: [cases], clinical: [file('features.csv', 'Sex_f,Case_ID,pid,Age\n1,5,A,7\n')] };
    const { folder } = await runStep(joinDatasetStep, { clinicalId: 'pid' }, inputs);
    expect(readCsv(join(folder, 'dataset.csv'))[0]).toMatchObject({ clinical_status: 'done', Sex_f: '1', Age: '7' });
    const without = { cases: [cases], clinical: [file('features.csv', 'Sex_f,pid\n1,A\n')] };
    await expect(runStep(joinDatasetStep, {}, without)).rejects.toMatchObject({ code: 'InternalError' });
  });

  it('takes clinical tables with quoted cells, and with nothing but the case', async () => {
    const cases = file('cases.jsonl', lines({ caseId: 'A', carried: {}, imaging: [], genomics: [] }));
    const quoted = file('features.csv', 'Case_ID,Note,Age\nA,"one, ""two""",7\n');
    const first = await runStep(joinDatasetStep, {}, { cases: [cases], clinical: [quoted] });
    expect(readCsv(join(first.folder, 'dataset.csv'))[0]).toMatchObject({ Note: 'one, "two"', Age: '7' });
    const bare = file('bare.csv', 'Case_ID\nA\n');
    const second = await runStep(joinDatasetStep, {}, { cases: [cases], clinical: [bare] });
    expect(readCsv(join(second.folder, 'dataset.csv'))[0]).toMatchObject({ case_id: 'A', clinical_status: 'done' });
  });
});
