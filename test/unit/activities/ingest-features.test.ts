import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ingestFeatures, type FeatureServices } from '../../../src/activities/ingest-features.js';
import { DuckDbTables } from '../../../src/adapters/local/duckdb-tables.js';
import { DuckDbQueries } from '../../../src/adapters/local/duckdb-queries.js';
import { FileLedger } from '../../../src/adapters/local/file-ledger.js';
import { LocalFiles } from '../../../src/adapters/local/files.js';
import { featureTraces } from '../../../src/app/case-features.js';
import { featureGroups } from '../../../src/app/clean-features.js';
import { readFinishedRun } from '../../../src/app/dataset/finished-run.js';
import { makeDataset } from '../../../src/app/dataset/make-dataset.js';
import { readIngests, storedSource, waitUntilVisible } from '../../../src/app/dataset/stored-features.js';
import { allSentGroups } from '../../../src/app/sent-groups.js';
import { layout } from '../../../src/contracts/layout.js';
import type { IngestResult } from '../../../src/contracts/feature-ingest.js';
import type { AwsHoldings } from '../../../src/ports/aws-holdings.js';
import { readCsv } from '../../support/csv.js';
import { FakeFeatureStore } from '../../support/fake-feature-store.js';
import { finishedRun, type MadeUpRun } from '../../support/finished-run.js';
import { inProcessRunner as runner } from '../../support/in-process-runner.js';
import { folderText } from '../../support/visible-text.js';

const files = new LocalFiles();
const { signal } = new AbortController();

function services(store: FakeFeatureStore, more: Partial<FeatureServices> = {}): FeatureServices {
  const workFolder = mkdtempSync(join(tmpdir(), 'cohortflow-work-'));
  return { files, ledger: new FileLedger(files), runner, store, prefix: 'my cohort', workFolder, ...more };
}

const send = (output: string, group: string, with_: FeatureServices): Promise<IngestResult> =>
  ingestFeatures({ output, group }, with_, signal, () => undefined);

async function fromStore(output: string, store: FakeFeatureStore, withinMinutes = 20): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'cohortflow-dataset-'));
  const local = new DuckDbQueries(folder);
  const workshop = { files, local, folder, signal };
  const run = await readFinishedRun(output, files, new FileLedger(files));
  const stored = { engine: store, ingests: await readIngests(run, files) };
  await waitUntilVisible(stored, run, workshop, {
    withinMinutes,
    pause: async (milliseconds) => {
      store.now += milliseconds;
    },
    now: () => store.now,
    progress: () => undefined,
  });
  const sourceOf: Parameters<typeof makeDataset>[0]['sourceOf'] = (group, found) =>
    storedSource(stored, group, found, local, undefined);
  return (await makeDataset({ run, workshop, sourceOf, progress: () => undefined })).csv;
}

const cohort = (cases: number): MadeUpRun => ({
  cases: Array.from({ length: cases }, (_, at) => ({
    caseId: `C-${at}`,
    imaging: [{ part: '', features: { original_shape_Elongation: at / 3, tiny: at * 1e-9, none: null } }],
    genomics: at % 2 === 0 ? [{ part: '', tpm: { 'ENSG0001.17': at, 'ENSG0002.3': at / 7 } }] : [],
  })),
  clinical: `Weight,Case_ID,Flag,Note\n${Array.from({ length: cases }, (_, at) => `${at}.0,C-${at},${at % 2},"it's ""${at}"", so"\n`).join('')}`,
});

const GROUPS = ['imaging', 'genomics', 'clinical'];
const text = (path: string): string => readFileSync(path, 'utf8');

const tracesOf = (output: string, store: FakeFeatureStore, caseId: string): ReturnType<typeof featureTraces> =>
  featureTraces(
    { files, tables: new DuckDbTables(), store, now: () => new Date(store.now), unique: () => caseId },
    { output, caseId },
  );

async function forget(output: string, store: FakeFeatureStore, caseId: string): Promise<void> {
  for (const trace of await tracesOf(output, store, caseId)) await trace.remove();
}

/** Groups in which the latest record of a case is not a deletion. */
const liveIn = (store: FakeFeatureStore, caseId: string): readonly string[] =>
  [...store.written]
    .filter(([, rows]) => rows.filter(({ values }) => values.get('Case_ID') === caseId).at(-1)?.deleted === false)
    .map(([name]) => name);

/** Rows of another content have another hash, which made-up runs do not compute. */
function rehash(output: string, group: string): void {
  const path = layout.stepManifest(output, `features/${group}`, 'features.write');
  writeFileSync(path, text(path).replace('"sha256":"x"', '"sha256":"y"').replace('"sha256": "x"', '"sha256": "y"'));
}

describe('sending features to a store', () => {
  it('puts the very rows there: the data set from the store is the run’s own, byte for byte', async () => {
    const output = await finishedRun(cohort(60));
    const store = new FakeFeatureStore();
    store.lag = 9 * 60_000;
    for (const group of GROUPS) {
      const result = await send(output, group, services(store));
      expect(result).toMatchObject({
        group,
        outcome: 'done',
        form: 'whole',
        failed: 0,
        latestEventTime: '2026-03-04T05:06:07Z',
      });
      expect(result.featureGroups[0]?.name).toMatch(new RegExp(`^my_cohort-${group}-[0-9a-f]{12}$`));
    }
    expect(text(await fromStore(output, store))).toBe(text(join(output, 'dataset.csv')));
  });

  it('leaves out what has no value, and the types are the table’s', async () => {
    const output = await finishedRun(cohort(2));
    const store = new FakeFeatureStore();
    await send(output, 'clinical', services(store));
    await send(output, 'imaging', services(store));
    const [clinical, imaging] = [...store.groups.values()];
    expect(clinical!.definitions).toEqual([
      { name: 'Case_ID', type: 'String' },
      { name: 'Weight', type: 'Fractional' },
      { name: 'Flag', type: 'Integral' },
      { name: 'Note', type: 'String' },
      { name: 'timestamp', type: 'String' },
    ]);
    const [record] = store.written.get(imaging!.name)!;
    expect([...record!.values.keys()]).toEqual(['Case_ID', 'original_shape_Elongation', 'tiny', 'timestamp']);
  });

  it('sends rows once: not again when they are sent, nor the finished batches of a sending that broke off', async () => {
    const output = await finishedRun(cohort(500));
    const store = new FakeFeatureStore();
    store.beforeWrite = (write) => {
      if (write === 12) throw new Error('the worker was killed');
    };
    await expect(send(output, 'imaging', services(store))).rejects.toThrow('killed');
    const [rows] = [...store.written.values()];
    const before = rows!.length;
    expect(before).toBeGreaterThan(200);
    store.beforeWrite = () => undefined;
    const result = await send(output, 'imaging', services(store));
    expect(result.records).toBe(500);
    expect(rows!.length).toBe(500);
    expect((await send(output, 'imaging', services(store))).outcome).toBe('reused');
    expect(rows!.length).toBe(500);
    expect(readdirSync(join(output, 'run/ingest'))).toEqual(['imaging.json', 'sent']);
  });

  it('sends all rows again where the group was removed since', async () => {
    const output = await finishedRun(cohort(30));
    const store = new FakeFeatureStore();
    await send(output, 'imaging', services(store));
    store.groups.clear();
    expect(await send(output, 'imaging', services(store))).toMatchObject({ outcome: 'done', records: 30 });
    expect([...store.written.values()].map((rows) => rows.length)).toEqual([30]);
  });

  it('sends all rows again where the group was removed and made anew by another since', async () => {
    const output = await finishedRun(cohort(30));
    const store = new FakeFeatureStore();
    await send(output, 'imaging', services(store));
    const [spec] = [...store.groups.values()];
    store.groups.clear();
    await store.ensure(spec!);
    expect(await send(output, 'imaging', services(store))).toMatchObject({ outcome: 'done', records: 30 });
    expect([...store.written.values()].map((rows) => rows.length)).toEqual([30]);
    expect((await send(output, 'imaging', services(store))).outcome).toBe('reused');
  });

  it('sends all rows where the group was taken down while a sending was broken off', async () => {
    const output = await finishedRun(cohort(500));
    const store = new FakeFeatureStore();
    store.beforeWrite = (write) => {
      if (write === 12) throw new Error('the worker was killed');
    };
    await expect(send(output, 'imaging', services(store))).rejects.toThrow('killed');
    store.beforeWrite = () => undefined;
    store.groups.clear();
    expect(await send(output, 'imaging', services(store))).toMatchObject({ outcome: 'done', records: 500 });
    expect([...store.written.values()].map((rows) => rows.length)).toEqual([500]);
    expect(readdirSync(join(output, 'run/ingest'))).toEqual(['imaging.json', 'sent']);
  });

  it('lists what the store refuses, without values, and sends only that the next time', async () => {
    const output = await finishedRun(cohort(60));
    const store = new FakeFeatureStore();
    store.refuses = ({ id }) => (id === 'C-7' || id === 'C-31' ? 'ValidationError' : undefined);
    await expect(send(output, 'clinical', services(store))).rejects.toMatchObject({ code: 'FeatureRecordsRejected' });
    const list = join(output, 'run/ingest/clinical-rejected.csv');
    expect(readCsv(list).map(({ record, code }) => [record, code])).toEqual([
      ['C-7', 'ValidationError'],
      ['C-31', 'ValidationError'],
    ]);
    const [rows] = [...store.written.values()];
    expect(rows!.length).toBe(58);
    store.refuses = () => undefined;
    expect(await send(output, 'clinical', services(store))).toMatchObject({ records: 60, failed: 0 });
    expect(rows!.length).toBe(60);
    expect(existsSync(list)).toBe(false);
  });

  it('refuses a record of more than 350 KB by its row', async () => {
    const long = 'x'.repeat(400_000);
    const output = await finishedRun({ cases: [{ caseId: 'A' }], clinical: `Case_ID,Note\nA,${long}\nB,short\n` });
    const store = new FakeFeatureStore();
    await expect(send(output, 'clinical', services(store))).rejects.toMatchObject({ code: 'FeatureRecordsRejected' });
    expect(text(join(output, 'run/ingest/clinical-rejected.csv'))).toMatch(/^record,code,message\nA,RecordTooLarge,/);
    expect([...store.written.values()][0]!.length).toBe(1);
  });

  it(
    'spreads a table of more than 2,500 columns over several groups, which the data set joins again',
    { timeout: 300_000 },
    async () => {
      const wide = Object.fromEntries(Array.from({ length: 6_000 }, (_, at) => [`f${at}`, at + 0.5]));
      const output = await finishedRun({
        cases: [
          { caseId: 'A', imaging: [{ part: '', features: wide }] },
          { caseId: 'B', imaging: [{ part: '', features: { f0: 1, f5999: 2 } }] },
        ],
      });
      const store = new FakeFeatureStore();
      const result = await send(output, 'imaging', services(store));
      expect(result.form).toBe('parts');
      expect(result.said).toBe('6000 columns in 3 groups: one takes 2500');
      expect([...store.groups.values()].map(({ definitions }) => definitions.length)).toEqual([2500, 2500, 1006]);
      expect(text(await fromStore(output, store))).toBe(text(join(output, 'dataset.csv')));
    },
  );

  it('points to a Parquet file where even several groups do not do', { timeout: 300_000 }, async () => {
    const wide = Object.fromEntries(Array.from({ length: 10_500 }, (_, at) => [`f${at}`, at + 0.5]));
    const output = await finishedRun({
      cases: [
        { caseId: 'A', imaging: [{ part: '', features: wide }] },
        { caseId: 'B', imaging: [{ part: '', features: { f7: 1 } }] },
      ],
    });
    const store = new FakeFeatureStore();
    await expect(send(output, 'imaging', services(store))).rejects.toMatchObject({ code: 'AwsNotConfigured' });
    const pointers = mkdtempSync(join(tmpdir(), 'cohortflow-pointers-'));
    const result = await send(output, 'imaging', services(store, { pointers }));
    expect(result.form).toBe('pointer');
    expect(existsSync(result.pointsTo ?? '')).toBe(true);
    // It goes with its group, and only with that.
    const group: AwsHoldings['group'] = async (name) => ({ name, ours: true });
    const account = { settings: {}, holdings: { group } as AwsHoldings, files };
    const listed = await featureGroups(output, account, signal);
    expect(listed.holdings.map(({ what }) => what)).toEqual([...store.groups.keys()]);
    expect(listed.files.flatMap(({ remove }) => remove)).toEqual([result.pointsTo]);
    const [pointer] = [...store.written.values()];
    const moved = new Map([
      ...pointer![1]!.values,
      ['features_uri', 's3://elsewhere'],
      ['timestamp', '2026-08-08T00:00:00Z'],
    ]);
    pointer!.push({ values: new Map([...moved, ['Case_ID', 'other']]), deleted: false, at: store.now });
    expect(text(await fromStore(output, store))).toBe(text(join(output, 'dataset.csv')));
    pointer!.push({ values: moved, deleted: false, at: store.now });
    await expect(fromStore(output, store)).rejects.toMatchObject({
      code: 'FeaturesReplaced',
      details: { replaced: 1 },
    });
    pointer!.pop();
    await store.remove([...store.groups.keys()].at(-1)!, 'A', '2026-09-09T00:00:00Z');
    expect(readCsv(await fromStore(output, store)).map(({ f7 }) => f7)).toEqual(['', '1']);
    // Rows of the file are named by their numbers: that of B stays the second.
    await forget(output, store, 'A');
    const rows = join(pointers, 'rows.csv');
    await new DuckDbTables().parquetToCsv(result.pointsTo!, rows, signal);
    const [first, second] = readCsv(rows);
    expect([...new Set(Object.values(first!))]).toEqual(['']);
    expect(second).toMatchObject({ Case_ID: 'B', f7: '1.0', is_deleted: 'false' });
    expect(await tracesOf(output, store, 'A')).toEqual([]);
  });

  it('waits until every record is seen, and names those that are not', async () => {
    const output = await finishedRun(cohort(30));
    const store = new FakeFeatureStore();
    for (const group of GROUPS) await send(output, group, services(store));
    const imaging = store.written.get([...store.groups.keys()][0]!)!;
    const [lost] = imaging.splice(4, 1);
    await expect(fromStore(output, store)).rejects.toMatchObject({
      code: 'FeaturesNotVisible',
      details: { missing: ['C-4'] },
    });
    imaging.push({ ...lost!, at: store.now + 10 * 60_000 });
    const before = store.now;
    expect(text(await fromStore(output, store))).toBe(text(join(output, 'dataset.csv')));
    expect(store.now - before).toBeLessThan(12 * 60_000);
  });

  it('waits for the rows that were sent last, though those before them have the same event time', async () => {
    const output = await finishedRun(cohort(20));
    const store = new FakeFeatureStore();
    for (const group of GROUPS) await send(output, group, services(store));
    const { cases, ...rest } = cohort(20);
    const other = {
      ...cases[0]!,
      imaging: [{ part: '', features: { original_shape_Elongation: 77, tiny: 1, none: null } }],
    };
    await finishedRun({ ...rest, cases: [other, ...cases.slice(1)] }, output);
    rehash(output, 'imaging');
    store.lag = 9 * 60_000;
    store.now += store.lag;
    expect((await send(output, 'imaging', services(store))).outcome).toBe('done');
    const made = text(await fromStore(output, store));
    expect(made).toBe(text(join(output, 'dataset.csv')));
    expect(made).toContain('77');
  });

  it('does not take duplicates and earlier records for later ones, and a deletion ends a record', async () => {
    const output = await finishedRun(cohort(10));
    const store = new FakeFeatureStore();
    for (const group of GROUPS) await send(output, group, services(store));
    for (const rows of store.written.values()) rows.push(...rows.map((row) => ({ ...row, at: row.at + 5 })));
    const clinical = [...store.groups.keys()].find((name) => name.includes('clinical'))!;
    const old = new Map([
      ...store.written.get(clinical)![0]!.values,
      ['Weight', '777'],
      ['timestamp', '2020-01-01T00:00:00.500Z'],
    ]);
    store.written.get(clinical)!.push({ values: old, deleted: false, at: store.now });
    expect(text(await fromStore(output, store))).toBe(text(join(output, 'dataset.csv')));
    await store.remove(clinical, 'C-3', '2026-08-01T00:00:00Z');
    const rows = readCsv(await fromStore(output, store));
    expect(rows[3]).toMatchObject({ case_id: 'C-3', clinical_status: 'absent', Weight: '' });
  });

  it('forgets a case there too: a deletion follows each of its records', async () => {
    const output = await finishedRun(cohort(6));
    const store = new FakeFeatureStore();
    store.refuses = ({ id }) => (id === 'C-5' || id === 'C-2' ? 'ValidationError' : undefined);
    await expect(send(output, 'clinical', services(store))).rejects.toMatchObject({ code: 'FeatureRecordsRejected' });
    store.refuses = () => undefined;
    for (const group of ['imaging', 'genomics']) await send(output, group, services(store));
    const traces = await tracesOf(output, store, 'C-2');
    expect(traces.filter(({ what }) => what === 'deletions, sent to the feature store').length).toBe(3);
    expect(traces[1]).toMatchObject({ what: 'deletions, sent to the feature store', count: 1 });
    for (const trace of traces) await trace.remove();
    for (const rows of store.written.values()) {
      const last = rows.filter(({ values }) => values.get('Case_ID') === 'C-2').at(-1);
      expect(last?.deleted).toBe(true);
    }
    const kept =
      text(join(output, 'run/ingest/clinical.json')) + text(join(output, 'run/ingest/clinical-rejected.csv'));
    expect(kept).toContain('C-5');
    expect(kept).not.toContain('C-2');
    // Its row is neither waited for nor joined, though the sheet still has the case.
    const rows = readCsv(await fromStore(output, store));
    expect(rows[2]).toMatchObject({ case_id: 'C-2', clinical_status: 'absent', tiny: '' });
  });

  it('forgets a case in every group that it was ever sent to, not in the last one only', async () => {
    const output = await finishedRun(cohort(6));
    const store = new FakeFeatureStore();
    for (const group of GROUPS) await send(output, group, services(store));
    // One case more, which brings another feature: another group of the store.
    const { cases, ...rest } = cohort(6);
    const more = { caseId: 'D', imaging: [{ part: '', features: { another: 1 } }] };
    await finishedRun({ ...rest, cases: [...cases, more], runId: 'run-2', eventTime: '2026-03-05T05:06:07Z' }, output);
    await send(output, 'imaging', services(store));
    const imaging = [...store.groups.keys()].filter((name) => name.includes('imaging'));
    expect(imaging).toHaveLength(2);
    expect(liveIn(store, 'C-2')).toHaveLength(4);
    // A group that was taken down since is no hindrance.
    const clinical = [...store.groups.keys()].find((name) => name.includes('clinical'))!;
    store.groups.delete(clinical);
    await forget(output, store, 'C-2');
    expect(liveIn(store, 'C-2')).toEqual([clinical]);
    expect(liveIn(store, 'C-3')).toHaveLength(3);
    expect([...(await allSentGroups(files, output)).keys()]).toEqual([...store.written.keys()].sort());
  });

  it('forgets a case whose records were sent by an ingest that broke off', async () => {
    const output = await finishedRun(cohort(500));
    const store = new FakeFeatureStore();
    store.refuses = ({ id }) => (id === 'C-3' ? 'ValidationError' : undefined);
    store.beforeWrite = (write) => {
      if (write === 12) throw new Error('the worker was killed');
    };
    await expect(send(output, 'imaging', services(store))).rejects.toThrow('killed');
    expect(existsSync(join(output, 'run/ingest/imaging.json'))).toBe(false);
    expect(liveIn(store, 'C-2')).toHaveLength(1);
    expect(folderText(join(output, 'run/ingest'))).toContain('C-3');
    for (const caseId of ['C-2', 'C-3']) await forget(output, store, caseId);
    expect(liveIn(store, 'C-2')).toEqual([]);
    expect(folderText(join(output, 'run/ingest'))).not.toContain('C-3');
  });

  it('notes where records go before the first of them is sent', async () => {
    const output = await finishedRun(cohort(3));
    const store = new FakeFeatureStore();
    let noted: readonly string[] = [];
    store.beforeWrite = () => {
      noted = readdirSync(join(output, 'run/ingest/sent/imaging'));
      throw new Error('the answer was lost');
    };
    await expect(send(output, 'imaging', services(store))).rejects.toThrow('lost');
    expect(noted).toEqual([`${[...store.groups.keys()][0]}.json`]);
  });

  it('says that a run was not sent, or has changed since', async () => {
    const output = await finishedRun(cohort(2));
    const store = new FakeFeatureStore();
    await expect(fromStore(output, store)).rejects.toMatchObject({ code: 'FeaturesNotIngested' });
    const empty = mkdtempSync(join(tmpdir(), 'cohortflow-none-'));
    mkdirSync(join(empty, 'run'));
    await expect(send(empty, 'imaging', services(store))).rejects.toMatchObject({ code: 'FileNotFound' });
    rmSync(empty, { recursive: true });
  });
});
