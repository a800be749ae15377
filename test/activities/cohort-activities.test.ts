import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { beforeEach, describe, expect, it } from 'vitest';
import { createCohortActivities } from '../../src/activities/cohort-activities.js';
import { FileLedger } from '../../src/adapters/local/file-ledger.js';
import { LocalFingerprints } from '../../src/adapters/local/fingerprints.js';
import { LocalFiles } from '../../src/adapters/local/files.js';
import type { CohortActivities } from '../../src/contracts/activities.js';
import type { IndexedCase } from '../../src/contracts/case-index.js';
import type { MultimodalInput } from '../../src/contracts/inputs.js';
import { layout } from '../../src/contracts/layout.js';
import type { OutcomeRecord } from '../../src/contracts/outcome.js';
import { folderOf, readCohortSheet } from '../../src/domain/cohort/index.js';
import { readCheckedSheet } from '../../src/steps/cohort/check-sheet.js';
import { readCsv } from '../support/csv.js';
import { temporaryFolder } from '../support/run-step.js';

const CASES = 1_203;
/** A sheet in a bucket whose reader pays. */
const PAID = 's3://paid/cohort.csv';
const idOf = (index: number): string => `C-${String(index).padStart(4, '0')}`;

describe('the activities over the files of a cohort', () => {
  const files = new LocalFiles();
  const ledger = new FileLedger(files);
  let root: string;
  let output: string;
  let open: Set<string>;
  let serverId: string;
  let activities: CohortActivities;

  beforeEach(() => {
    root = temporaryFolder('cohort');
    output = join(root, 'out');
    open = new Set();
    serverId = 'here';
    activities = createCohortActivities({
      files,
      ledger,
      readSheet: async (path) =>
        path === PAID
          ? readCohortSheet('case_id,imaging\nA,a\n', { base: folderOf(path) })
          : readCheckedSheet(path, files),
      requesterPays: ['paid'],
      versions: async () => ({ cohortflow: '1.2.3', salmon: '1.10.2' }),
      fingerprints: new LocalFingerprints(files, join(root, 'hashes')),
      versionOf: () => 1,
      sharedFolder: join(root, 'shared'),
      planRemote: async () => ({}),
      server: {
        isOpen: async (workflowId) => open.has(`${workflowId} ${serverId}`) || open.has(workflowId),
        identity: async () => ({ namespaceId: serverId, namespace: 'default', address: `${serverId}:7233` }),
        claimPool: async () => undefined,
        hasSearchAttributes: async () => false,
      },
    });
  });

  /** Calls an activity as a worker does. */
  function call<K extends keyof CohortActivities>(
    name: K,
    ...args: Parameters<CohortActivities[K]>
  ): ReturnType<CohortActivities[K]> {
    const activity = activities[name] as unknown as (...given: readonly unknown[]) => Promise<never>;
    const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
    return environment.run(() => activity(...args)) as ReturnType<CohortActivities[K]>;
  }

  function writeSheet(count: number): string {
    const ids = Array.from({ length: count }, (_, index) => idOf(index));
    for (const id of ids) mkdirSync(join(root, 'dicom', id), { recursive: true });
    const sheet = join(root, 'cohort.csv');
    writeFileSync(sheet, ['case_id,imaging,site', ...ids.map((id) => `${id},dicom/${id},north`), ''].join('\n'));
    return sheet;
  }

  function prepare(input: Partial<MultimodalInput>, runId = 'run-1', workflowId = 'cohort') {
    return call('prepareCohort', {
      input: { output, ...input },
      modalities: ['imaging', 'genomics', 'clinical'],
      workflowId,
      runId,
      startedAt: '2026-01-01T00:00:00.000Z',
    });
  }

  function recordOf(index: number, step: string, changes: Partial<OutcomeRecord> = {}): OutcomeRecord {
    return {
      caseId: idOf(index),
      modality: 'imaging',
      part: '',
      step,
      outcome: 'done',
      code: '',
      why: 'new',
      attempts: 1,
      started: '2026-01-01T00:00:00.000Z',
      seconds: 1,
      message: '',
      ...changes,
    };
  }

  const note = (record: OutcomeRecord, runId = 'run-1') => call('recordOutcome', { output, runId, record });
  const compact = (state: 'finished' | 'cancelled' = 'finished', runId = 'run-1') =>
    call('compactOutcomes', { output, runId, state });

  it('prepare: tables of transcripts without an annotation are refused once, those of genes are not', async () => {
    writeFileSync(join(root, 'a.sf'), 'x');
    writeFileSync(join(root, 'b.genes.sf'), 'x');
    const sheet = join(root, 'quants.csv');
    writeFileSync(sheet, 'case_id,quant\nA,a.sf\nB,b.genes.sf\n');
    await expect(prepare({ cohort: sheet })).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('1 samples are tables of transcripts: annotation is needed') as unknown,
    });
    writeFileSync(sheet, 'case_id,quant\nB,b.genes.sf\n');
    await expect(prepare({ cohort: sheet })).resolves.toMatchObject({ genomics: 1 });
  });

  it('prepare: counts and a reference come back, the cohort itself goes to disk', async () => {
    const prepared = await prepare({ cohort: writeSheet(CASES) });
    expect(prepared).toEqual({ runId: 'run-1', cases: CASES, imaging: CASES, genomics: 0 });
    expect(JSON.parse(readFileSync(join(output, 'run/run.json'), 'utf8'))).toMatchObject({
      workflowId: 'cohort',
      runId: 'run-1',
      state: 'running',
    });
    expect(JSON.parse(readFileSync(join(output, 'run/params.json'), 'utf8'))).toMatchObject({ output });
    expect(readCsv(join(output, 'run/cohort.valid.csv'))).toHaveLength(CASES);
  });

  it.each([
    [0, 1, 50],
    [495, 1, 20],
    [3, 10, 500],
    [1_200, 1, 50],
    [CASES, 1, 50],
  ])('units are read in pages: from %i, every %i., at most %i', async (offset, stride, limit) => {
    await prepare({ cohort: writeSheet(CASES) });
    const slice = { round: 0, first: offset % stride, stride, from: Math.floor(offset / stride), limit };
    const { units, next, reused } = await call('nextUnits', { output, runId: 'run-1', modality: 'imaging', ...slice });
    const wanted = [];
    for (let at = offset; at < CASES && wanted.length < limit; at += stride) wanted.push(idOf(at));
    expect(units.map(({ unit }) => unit.caseId)).toEqual(wanted);
    expect([next, reused]).toEqual([slice.from + wanted.length, 0]);
  });

  it('an output is locked while its workflow is open, and free when it has ended, however it ended', async () => {
    const cohort = writeSheet(2);
    await prepare({ cohort });
    open.add('cohort');
    await expect(prepare({ cohort }, 'run-2', 'other')).rejects.toMatchObject({
      type: 'OutputBusy',
      nonRetryable: true,
    });
    // The same run again, as after a lost answer, is no intruder.
    await expect(prepare({ cohort })).resolves.toMatchObject({ cases: 2 });
    open.clear();
    await expect(prepare({ cohort }, 'run-2', 'other')).resolves.toMatchObject({ runId: 'run-2' });
  });

  it('prepare: refuses what it cannot work with, with a code, before it writes anything', async () => {
    const cohort = writeSheet(2);
    writeFileSync(join(root, 'file'), '');
    writeFileSync(join(root, 'radiomics.yaml'), 'setting: [');
    const cases: readonly (readonly [Partial<MultimodalInput>, string, RegExp])[] = [
      [{ cohort: join(root, 'none.csv') }, 'FileNotFound', /none\.csv/],
      [{ cohort: 'cohort.csv' }, 'InvalidInput', /cohort must be an absolute path/],
      [{ cohort, output: 'S3://bucket/out' }, 'InvalidInput', /output: a place in S3 is written s3:/],
      [{ cohort: PAID, imagingExecutor: 'sagemaker' }, 'InvalidSheet', /row 2, column imaging: case A: .*bucket paid/],
      [{ cohort, output: join(root, 'file') }, 'InvalidInput', /output: .* is a file/],
      [{ cohort, clinical: join(root, 'none.csv') }, 'FileNotFound', /clinical/],
      [{ cohort, radiomics: join(root, 'radiomics.yaml') }, 'InvalidInput', /radiomics: not readable/],
      [{ cohort, clinical: cohort, clinicalSpec: '/none.yaml' }, 'FileNotFound', /none\.yaml/],
    ];
    for (const [input, type, message] of cases) {
      await expect(prepare(input), type).rejects.toMatchObject({
        type,
        nonRetryable: true,
        message: expect.stringMatching(message) as string,
      });
    }
    expect(existsSync(output)).toBe(false);
  });

  it('compact: one row per case and step, the last attempt’s, in the order of the sheet', async () => {
    await prepare({ cohort: writeSheet(3) });
    await note(recordOf(2, 'imaging.overlay'));
    await note(recordOf(0, 'imaging.convert', { outcome: 'failed', code: 'ProcessLost', attempts: 1 }));
    await note(recordOf(0, 'imaging.convert', { attempts: 2 }));
    await note(recordOf(0, 'imaging.overlay', { started: '2026-01-01T00:01:00.000Z' }));
    await note(recordOf(1, 'imaging.convert', { outcome: 'failed', code: 'SegNotFound', message: 'no, "none"' }));
    const first = await compact();
    expect(first.failed).toBe(1);
    const rows = readCsv(first.file);
    expect(rows.map((row) => `${row['case_id']} ${row['step']} ${row['outcome']} ${row['attempts']}`)).toEqual([
      'C-0000 imaging.convert done 2',
      'C-0000 imaging.overlay done 1',
      'C-0001 imaging.convert failed 1',
      'C-0002 imaging.overlay done 1',
    ]);
    expect(rows[2]).toMatchObject({ code: 'SegNotFound', message: 'no, "none"', modality: 'imaging' });
    const text = readFileSync(first.file, 'utf8');
    await compact();
    expect(readFileSync(first.file, 'utf8')).toBe(text);
  });

  it.each([
    ['finished', 'failed', 'Terminated'],
    ['cancelled', 'cancelled', ''],
  ] as const)('compact: a case that left no record is listed too when the run was %s', async (state, outcome, code) => {
    await prepare({ cohort: writeSheet(2) });
    await note(recordOf(0, 'imaging.overlay'));
    const rows = readCsv((await compact(state)).file);
    expect(rows[1]).toMatchObject({ case_id: 'C-0001', step: 'imaging.workflow', outcome, code });
  });

  it.each([
    ['finished', 'failed', 'Terminated'],
    ['cancelled', 'cancelled', ''],
    ['running', undefined, undefined],
  ] as const)('compact: a case that did not get to its end is no done one (%s)', async (state, outcome, code) => {
    await prepare({ cohort: writeSheet(1) });
    await note(recordOf(0, 'imaging.convert'));
    const { file, cases } = await call('compactOutcomes', { output, runId: 'run-1', state });
    const [first, second] = readCsv(file);
    expect(first).toMatchObject({ step: 'imaging.convert', outcome: 'done' });
    expect([second?.['outcome'], second?.['code']]).toEqual([outcome, code]);
    const [entry] = (JSON.parse(readFileSync(cases, 'utf8')) as IndexedCase).imaging;
    expect(entry?.status).toBe(outcome ?? 'open');
  });

  it('compact: takes nothing from an earlier run into this one', async () => {
    const cohort = writeSheet(1);
    await prepare({ cohort });
    await note(recordOf(0, 'imaging.convert', { outcome: 'failed', code: 'SegNotFound' }));
    await compact();
    await prepare({ cohort }, 'run-2');
    await note(recordOf(0, 'imaging.overlay'), 'run-2');
    expect(readCsv((await compact('finished', 'run-2')).file)).toMatchObject([{ outcome: 'done', code: '' }]);
  });

  it('compact: joins cases, studies and samples over many pages, each under its case, none lost', async () => {
    const rows: string[] = [];
    const wanted: string[] = [];
    for (let index = 0; index < CASES; index += 1) {
      const id = idOf(index);
      const studies = index % 3 === 0 ? [] : index % 3 === 1 ? ['one', 'two'] : [''];
      const quant = index % 2 === 0 ? `quant/${id}.sf` : '';
      for (const [at, study] of studies.entries()) {
        mkdirSync(join(root, 'dicom', `${id}${study}`), { recursive: true });
        rows.push(`${id},dicom/${id}${study},${study},${at === 0 ? quant : ''}`);
        wanted.push(`${id} imaging ${study}`);
      }
      if (studies.length === 0) rows.push(`${id},,,${quant}`);
      if (quant !== '') wanted.push(`${id} genomics `);
    }
    mkdirSync(join(root, 'quant'));
    for (let index = 0; index < CASES; index += 2) writeFileSync(join(root, 'quant', `${idOf(index)}.sf`), 'x');
    const cohort = join(root, 'cohort.csv');
    writeFileSync(cohort, ['case_id,imaging,study_id,quant', ...rows, ''].join('\n'));
    await prepare({ cohort, annotation: cohort });
    const pages = { modality: 'genomics', first: 0, last: 0, name: 'reused' } as const;
    const reused = recordOf(0, 'genomics.quantify', { modality: 'genomics', outcome: 'reused' });
    await ledger.recordPage(output, 'run-1', pages, [reused]);
    await note(recordOf(1, 'imaging.radiomics', { part: 'two' }));
    await note(recordOf(1, 'imaging.overlay', { part: 'two' }));

    const { file, cases, failed } = await compact();
    const found = readCsv(file);
    const ends = found.filter(({ step }) => step !== 'imaging.radiomics');
    expect(ends.map((row) => `${row['case_id']} ${row['modality']} ${row['study_or_sample']}`)).toEqual(wanted);
    expect(failed).toBe(wanted.length - 2);
    const lines = readFileSync(cases, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as IndexedCase).caseId)).toEqual(
      Array.from({ length: CASES }, (_, index) => idOf(index)),
    );
    const [first, second] = lines.map((line) => JSON.parse(line) as IndexedCase);
    expect(first).toMatchObject({ imaging: [], genomics: [{ status: 'done' }] });
    expect(second?.imaging).toMatchObject([
      { part: 'one', status: 'failed', code: 'Terminated' },
      { part: 'two', status: 'done', code: '' },
    ]);
    expect(await call('listFinished', { output, runId: 'run-1', modality: 'imaging' })).toMatchObject({ units: 1 });
    expect(await call('listFinished', { output, runId: 'run-1', modality: 'genomics' })).toMatchObject({ units: 1 });
  });

  it('compact: the last round of a unit decides, and what a table left that failed as a whole stands last', async () => {
    await prepare({ cohort: writeSheet(2) });
    const clinical = { caseId: '', modality: 'clinical', outcome: 'failed', code: 'InvalidInput' } as const;
    await note(recordOf(0, 'clinical.features', clinical));
    await note(recordOf(0, 'imaging.convert', { outcome: 'failed', code: 'DiskFull', attempts: 4 }));
    await note(recordOf(0, 'imaging.overlay', { round: 1 }));
    await note(recordOf(1, 'imaging.overlay'));
    const { file, failed } = await compact();
    expect(failed).toBe(1);
    expect(readCsv(file).map((row) => `${row['case_id']} ${row['modality']} ${row['outcome']}`)).toEqual([
      'C-0000 imaging done',
      'C-0001 imaging done',
      ' clinical failed',
    ]);
  });

  it('the versions name what quantified the reads, and no Salmon that had nothing to do', async () => {
    const versions = (): unknown => JSON.parse(readFileSync(join(output, 'run/versions.json'), 'utf8'));
    const sheet = join(root, 'reads.csv');
    writeFileSync(sheet, ['case_id,sra', `${idOf(0)},SRR000001`, `${idOf(1)},SRR000002`, ''].join('\n'));
    await prepare({ cohort: writeSheet(1) }, 'run-0');
    expect(versions()).toEqual({ cohortflow: '1.2.3' });
    const cohort = { cohort: sheet, genomicsExecutor: 'dragen' } as const;
    await prepare(cohort);
    expect(versions()).toEqual({ cohortflow: '1.2.3', dragen: 'not known' });
    const step = 'genomics.quantify';
    await note(recordOf(0, step, { modality: 'genomics' }));
    const summary = { genes: 10, program: 'DRAGEN', version: '4.3.6' };
    const made = { step, version: 1, params: 'p', inputs: {}, outputs: [], summary };
    await ledger.setManifest(layout.stepManifest(output, `genomics/${idOf(0)}`, step), made);
    await compact();
    expect(versions()).toEqual({ cohortflow: '1.2.3', dragen: '4.3.6' });
  });

  it('a record is written once: the same again changes nothing', async () => {
    await prepare({ cohort: writeSheet(1) });
    await note(recordOf(0, 'imaging.overlay', { seconds: 1 }));
    await note(recordOf(0, 'imaging.overlay', { seconds: 99 }));
    expect(readCsv((await compact()).file)).toMatchObject([{ seconds: '1' }]);
  });

  describe('a run on another Temporal server', () => {
    const pages = (): string[] => readdirSync(join(output, 'run/manifest')).sort();

    it('keeps the output, however little this server knows of it, and the message says how to go on', async () => {
      const cohort = writeSheet(2);
      await prepare({ cohort });
      serverId = 'there';
      const refused = { type: 'OutputBusy', nonRetryable: true };
      await expect(prepare({ cohort }, 'run-2')).rejects.toMatchObject(refused);
      await expect(prepare({ cohort }, 'run-2')).rejects.toThrow(/cohort .*default at here:7233.*--take-over/);
      expect(await ledger.owner(output)).toMatchObject({ runId: 'run-1', server: { namespaceId: 'here' } });
      expect(pages()).toEqual(['run-1']);
    });

    it('is no hindrance when it has ended', async () => {
      const cohort = writeSheet(2);
      await prepare({ cohort });
      await call('closeRun', { output, runId: 'run-1', state: 'finished' });
      serverId = 'there';
      await prepare({ cohort }, 'run-2');
      expect(pages()).toEqual(['run-2']);
    });

    it('loses the output by --take-over only, and writes nothing more of what is there once', async () => {
      const cohort = writeSheet(2);
      await prepare({ cohort });
      serverId = 'there';
      await prepare({ cohort, takeOver: true }, 'run-2');
      await note(recordOf(0, 'imaging.overlay'), 'run-2');
      await note(recordOf(1, 'imaging.overlay'), 'run-2');
      const { file } = await compact('finished', 'run-2');
      const before = readFileSync(file, 'utf8');
      expect(readCsv(file)).toHaveLength(2);

      serverId = 'here';
      const refused = { type: 'OutputBusy', nonRetryable: true };
      const slice = { round: 0, first: 0, stride: 1, from: 0, limit: 50 };
      const first = { output, runId: 'run-1', modality: 'imaging' } as const;
      await expect(compact()).rejects.toMatchObject(refused);
      await expect(call('listFinished', first)).rejects.toMatchObject(refused);
      await expect(call('nextUnits', { ...first, ...slice })).rejects.toMatchObject(refused);
      await expect(call('selectFailed', { ...first, round: 1, choice: {} })).rejects.toMatchObject(refused);
      await expect(prepare({ cohort })).rejects.toMatchObject(refused);
      await call('closeRun', { output, runId: 'run-1', state: 'finished' });
      expect(readFileSync(file, 'utf8')).toBe(before);
      expect(await ledger.owner(output)).toMatchObject({ runId: 'run-2', state: 'running' });
    });

    it('does not lose it to --take-over on its own server', async () => {
      const cohort = writeSheet(2);
      await prepare({ cohort });
      open.add('cohort');
      await expect(prepare({ cohort, takeOver: true }, 'run-2', 'other')).rejects.toMatchObject({ type: 'OutputBusy' });
    });
  });

  it('of two runs that claim an output at the same time one is refused', async () => {
    const cohort = writeSheet(1);
    await prepare({ cohort }, 'run-0', 'ended');
    open.add('a').add('b');
    const both = await Promise.allSettled([prepare({ cohort }, 'run-a', 'a'), prepare({ cohort }, 'run-b', 'b')]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const owner = await ledger.owner(output);
    const winner = both.find(({ status }) => status === 'fulfilled') as PromiseFulfilledResult<{ runId: string }>;
    expect(owner?.runId).toBe(winner.value.runId);
    // The one that claimed it and was lost before it wrote run.json counts too, while it is open.
    writeFileSync(join(output, 'run/run.json'), JSON.stringify({ ...owner, runId: 'run-0', workflowId: 'ended' }));
    await expect(prepare({ cohort }, 'run-c', 'c')).rejects.toMatchObject({ type: 'OutputBusy' });
    open.clear();
    await expect(prepare({ cohort }, 'run-c', 'c')).resolves.toMatchObject({ runId: 'run-c' });
    const ids = (await ledger.claims(output)).map(({ runId }) => runId);
    expect(ids.sort()).toEqual(['run-0', winner.value.runId, 'run-c'].sort());
  });

  it.each([
    'null',
    '{"state":"running"}',
    '[]',
    '{"workflowId":"w","runId":"r","startedAt":"t","state":"gone"}',
    '{"wor',
  ])('run.json with %s in it is nobody, and the end of a run writes it anew', async (text) => {
    await prepare({ cohort: writeSheet(1) });
    writeFileSync(join(output, 'run/run.json'), text);
    expect(await ledger.owner(output)).toBeUndefined();
    await call('closeRun', { output, runId: 'run-1', state: 'finished' });
    const { startedAt } = (await ledger.owner(output)) ?? {};
    expect(await ledger.owner(output)).toMatchObject({ workflowId: 'cohort', runId: 'run-1', state: 'finished' });
    expect(startedAt).toBe('2026-01-01T00:00:00.000Z');
  });

  it.each(['pages that are gone', 'pages that are short'])(
    '%s end the run instead of being asked for for ever',
    async (how) => {
      await prepare({ cohort: writeSheet(CASES) });
      const folder = join(output, 'run/manifest/run-1');
      if (how === 'pages that are gone') rmSync(folder, { recursive: true });
      else writeFileSync(join(folder, 'imaging-000000.jsonl'), '');
      const slice = { round: 0, first: 0, stride: 1, from: 0, limit: 50, size: CASES };
      await expect(call('nextUnits', { output, runId: 'run-1', modality: 'imaging', ...slice })).rejects.toMatchObject({
        type: 'FileNotFound',
        nonRetryable: true,
      });
    },
  );

  it('close: says how the run ended, unless another run has taken the folder since', async () => {
    const cohort = writeSheet(1);
    await prepare({ cohort });
    await call('closeRun', { output, runId: 'run-0', state: 'cancelled' });
    expect(await ledger.owner(output)).toMatchObject({ runId: 'run-1', state: 'running' });
    await call('closeRun', { output, runId: 'run-1', state: 'finished', result: { failures: 0 } });
    expect(await ledger.owner(output)).toMatchObject({ state: 'finished', result: { failures: 0 } });
  });
});
