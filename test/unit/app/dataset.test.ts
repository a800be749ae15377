import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { DuckDbQueries } from '../../../src/adapters/local/duckdb-queries.js';
import { FileLedger } from '../../../src/adapters/local/file-ledger.js';
import { LocalFiles } from '../../../src/adapters/local/files.js';
import { readFinishedRun } from '../../../src/app/dataset/finished-run.js';
import { joinedColumns, makeDataset } from '../../../src/app/dataset/make-dataset.js';
import type { GroupSchema } from '../../../src/domain/feature-table/group-schema.js';
import { parquetSource } from '../../../src/domain/feature-table/latest-sql.js';
import { readCsv } from '../../support/csv.js';
import { clinicalStep } from '../../../src/steps/clinical/features.js';
import { runStep } from '../../support/run-step.js';
import { sharedData } from '../../support/shared-data.js';
import { finishedRun, type MadeUpRun } from '../../support/finished-run.js';

const COHORT: MadeUpRun = {
  cases: [
    {
      caseId: 'C-3',
      carried: { site: 'x, "y"' },
      imaging: [{ part: '', features: { original_shape_Elongation: 0.1 + 0.2, tiny: 1e-7, 'log-sigma_x': null } }],
      genomics: [{ part: '', tpm: { 'ENSG0001.17': 0, 'ENSG0002.3': 12.5 } }],
    },
    { caseId: 'C-1', carried: { site: '' }, imaging: [{ part: '', status: 'failed', code: 'SegNotFound' }] },
    {
      caseId: 'C-2',
      imaging: [{ part: '', features: { original_shape_Elongation: 3, huge: 1.5e22, late: 1 } }],
      genomics: [{ part: '', tpm: { 'ENSG0001.17': 1 / 3 } }],
    },
  ],
  clinical: 'Weight,Case_ID,Flag,Note,Seen\n158.0,C-1,1,"one, ""two""",True\n1e-05,C-3,0,,False\n,Z-9,1,three,True\n',
  dropped: 'case_id,row,reason\nC-2,4,"Weight is ""Not Collected"""\n',
};

const TABLE = sharedData('clinical/NSCLCR01Radiogenomic_DATA_LABELS_2018-05-22_1500-shifted.csv');

async function fromGroups(
  output: string,
  more: { readonly population?: 'sheet' | 'union'; readonly asOf?: string } = {},
): Promise<{ readonly csv: string; readonly parquet: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'cohortflow-dataset-'));
  const files = new LocalFiles();
  const local = new DuckDbQueries(folder);
  const { asOf, ...population } = more;
  return makeDataset({
    run: await readFinishedRun(output, files, new FileLedger(files)),
    workshop: { files, local, folder, signal: new AbortController().signal },
    sourceOf: (group, found) => ({
      engine: local,
      schema: found.schema,
      tables: [{ source: parquetSource(found.folder), columns: joinedColumns(group, found) }],
      ...(asOf === undefined ? {} : { asOf }),
    }),
    progress: () => undefined,
    ...population,
  });
}

/** Adds records to a group, as another run or a deletion does. */
async function addRecords(output: string, group: string, select: string): Promise<void> {
  const connection = await (await DuckDBInstance.create()).connect();
  const folder = join(output, 'features', group, 'data/year=2030/month=01/day=01/hour=00');
  mkdirSync(folder, { recursive: true });
  const source = `read_parquet('${output}/features/${group}/data/**/*.parquet', hive_partitioning = false, union_by_name = true)`;
  const target = join(folder, `20300101T000000Z_${Math.random().toString(36).slice(2)}.parquet`);
  await connection.run(`COPY (SELECT * ${select.replace('ROWS', source)}) TO '${target}' (FORMAT parquet)`);
}

const text = (path: string): string => readFileSync(path, 'utf8');

describe('a data set from feature groups', () => {
  it('is the one the run made, byte for byte: names, spelling of numbers, order, statuses', async () => {
    const output = await finishedRun(COHORT);
    const { csv, parquet } = await fromGroups(output);
    expect(text(csv)).toBe(text(join(output, 'dataset.csv')));
    expect(readFileSync(parquet).equals(readFileSync(join(output, 'dataset.parquet')))).toBe(true);
    expect(text(csv)).toContain('ENSG0001.17');
    expect(text(csv)).toContain('158.0');
  });

  it('is so for several studies and samples of a case, and with genes chosen', async () => {
    const output = await finishedRun({
      cases: [
        {
          caseId: 'A',
          imaging: [
            { part: 'late', date: '2002-01-01', features: { f: 2 } },
            { part: 'early', date: '2001-01-01', features: { f: 1 } },
          ],
          genomics: [
            { part: 'one', tpm: { G1: 1, G2: 2 } },
            { part: 'two', tpm: { G1: 3, G2: 4 } },
          ],
        },
        { caseId: 'B', imaging: [{ part: '', features: { f: 7 } }], genomics: [{ part: '', tpm: { G1: 5, G2: 6 } }] },
      ],
      params: { genes: ['G2'] },
    });
    const { csv } = await fromGroups(output);
    expect(text(csv)).toBe(text(join(output, 'dataset.csv')));
    expect(readCsv(csv).map(({ f, G2 }) => [f, G2])).toEqual([
      ['2', '2'],
      ['7', '6'],
    ]);
  });

  it.each([
    ['named, though it does not vary', ['G0'], ['G0']],
    ['most that vary, more than a group takes by itself', 2_550, undefined],
  ])('is so where the matrix has more genes than a group: %s', { timeout: 120_000 }, async (_, genes, columns) => {
    const tpm = (size: number): Record<string, number> =>
      Object.fromEntries(Array.from({ length: 2_600 }, (_gene, at) => [`G${at}`, at === 0 ? 1 : (at % 50) * size]));
    const output = await finishedRun({
      cases: [
        { caseId: 'A', genomics: [{ part: '', tpm: tpm(1) }] },
        { caseId: 'B', genomics: [{ part: '', tpm: tpm(2) }] },
      ],
      params: { genes },
    });
    const { csv } = await fromGroups(output);
    expect(text(csv)).toBe(text(join(output, 'dataset.csv')));
    const [row] = readCsv(csv);
    const found = Object.keys(row!).filter((name) => /^G\d/.test(name));
    expect(found).toEqual(columns ?? expect.objectContaining({ length: genes }));
    const schema = JSON.parse(text(join(output, 'features/genomics/schema.json'))) as GroupSchema;
    expect(schema.columns.length).toBe(1 + (typeof genes === 'number' ? genes : 2_490));
    expect(schema.panel).toMatchObject({ genes: schema.columns.length - 1, of: 2_600 });
    expect(schema.panel?.said).toMatch(/^\d+ of 2600 genes: /);
  });

  it.skipIf(TABLE === undefined)('is so for the published clinical table, by both of its specifications', async () => {
    for (const spec of ['nsclc-radiogenomics', 'nsclc-radiogenomics-notebook']) {
      const { folder } = await runStep(clinicalStep, { spec }, { table: [TABLE!] });
      const clinical = text(join(folder, 'features.csv'));
      const ids = readCsv(join(folder, 'features.csv')).map((row) => row['Case_ID']!);
      const dropped = text(join(folder, 'dropped.csv'));
      const output = await finishedRun({ cases: ids.map((caseId) => ({ caseId })), clinical, dropped });
      const { csv } = await fromGroups(output);
      expect(text(csv), spec).toBe(text(join(output, 'dataset.csv')));
      expect(ids.length).toBeGreaterThan(100);
    }
  });

  it('has the clinical cases too when the union is asked for', async () => {
    const output = await finishedRun(COHORT);
    const { csv } = await fromGroups(output, { population: 'union' });
    expect(readCsv(csv).map(({ case_id }) => case_id)).toEqual(['C-3', 'C-1', 'C-2', 'Z-9']);
  });

  it('does not change for records written twice, nor for those of other cases', async () => {
    const output = await finishedRun(COHORT);
    await addRecords(output, 'imaging', 'FROM ROWS');
    await addRecords(output, 'clinical', `REPLACE ('OTHER' AS Case_ID) FROM ROWS`);
    expect(text((await fromGroups(output)).csv)).toBe(text(join(output, 'dataset.csv')));
  });

  it('takes later records, and as of an earlier time the earlier ones', async () => {
    const output = await finishedRun(COHORT);
    const later = `'2027-01-01T00:00:00Z' AS timestamp`;
    await addRecords(
      output,
      'imaging',
      `REPLACE (99 AS original_shape_Elongation, ${later}) FROM ROWS WHERE Case_ID = 'C-2'`,
    );
    const now = readCsv((await fromGroups(output)).csv);
    expect(now.map((row) => row['original_shape_Elongation'])).toEqual([String(0.1 + 0.2), '', '99']);
    const { csv } = await fromGroups(output, { asOf: '2026-12-31T00:00:00Z' });
    expect(text(csv)).toBe(text(join(output, 'dataset.csv')));
  });

  it('does not bring back what was deleted after it was written', async () => {
    const output = await finishedRun(COHORT);
    const deleted = `REPLACE ('2027-01-01T00:00:00Z' AS timestamp, 'true' AS is_deleted)`;
    await addRecords(output, 'clinical', `${deleted} FROM ROWS WHERE Case_ID = 'C-1'`);
    await addRecords(output, 'imaging', `${deleted} FROM ROWS WHERE Case_ID = 'C-3'`);
    const rows = readCsv((await fromGroups(output)).csv);
    expect(rows[1]).toMatchObject({ case_id: 'C-1', clinical_status: 'absent', Weight: '' });
    expect(rows[0]).toMatchObject({ case_id: 'C-3', original_shape_Elongation: '', 'ENSG0002.3': '12.5' });
  });

  it('refuses a folder of no run, and one of a run that has not ended', async () => {
    const files = new LocalFiles();
    const ledger = new FileLedger(files);
    const empty = mkdtempSync(join(tmpdir(), 'cohortflow-empty-'));
    await expect(readFinishedRun(empty, files, ledger)).rejects.toMatchObject({ code: 'RunNotFound' });
    const output = await finishedRun(COHORT);
    await ledger.setOwner(output, { workflowId: 'w', runId: 'r', startedAt: '2026', state: 'running' });
    await expect(readFinishedRun(output, files, ledger)).rejects.toMatchObject({ code: 'InvalidInput' });
  });
});
