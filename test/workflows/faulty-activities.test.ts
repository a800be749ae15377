import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStepActivities } from '../../src/activities/step-activities.js';
import { FileLedger } from '../../src/adapters/local/file-ledger.js';
import { LocalFiles } from '../../src/adapters/local/files.js';
import { LocalFingerprints } from '../../src/adapters/local/fingerprints.js';
import { TemporalCohortServer } from '../../src/app/cohort-server.js';
import type { CohortActivities, StepActivities, StepReport, StepRequest } from '../../src/contracts/activities.js';
import type { CohortResult } from '../../src/contracts/results.js';
import { CohortflowError } from '../../src/domain/errors.js';
import type { ImagingUnit } from '../../src/domain/cohort/manifest.js';
import type { StepTask } from '../../src/ports/step-runner.js';
import type { JsonObject } from '../../src/steps/step.js';
import { impatientBundle } from '../support/impatient-bundle.js';
import { temporaryFolder } from '../support/run-step.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { simulate } from '../support/temporal-simulation.js';
import { TEST_QUEUE, startWorkers } from '../support/temporal-workers.js';

const server = await temporalCli();

/** A summary above the server's limit of 2 MB a payload. */
const tooMuch = (): JsonObject => ({ text: 'x'.repeat(3 * 2 ** 20) });

/** What goes wrong in the first step of each case, by its id. */
const FAULTS: Readonly<Record<string, () => JsonObject | Promise<JsonObject>>> = {
  'too-large': tooMuch,
  'unknown-error': () => {
    throw new TypeError('cannot read properties of undefined');
  },
  'no-error': () => {
    // What a careless library does.
    // eslint-disable-next-line @typescript-eslint/only-throw-error
    throw 'only a text';
  },
  'nothing-at-all': () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error
    throw undefined;
  },
  'too-long-a-message': () => {
    throw new CohortflowError('SegNotFound', `no segmentation: ${'x'.repeat(3 * 2 ** 20)}`);
  },
  'too-many-details': () => {
    throw new CohortflowError('SegNotFound', 'no segmentation', tooMuch());
  },
  'details-that-are-no-json': () => {
    throw new CohortflowError('SegNotFound', 'no segmentation', { voxels: 10n });
  },
};

/** Cases that get to their end. */
const WELL = ['given-back-often', 'hangs-once', 'lost-often', 'well'];

type Attempt = 'fails' | 'given back' | 'hangs' | 'succeeds';

/** What becomes of the attempts at the first step of each case, in order; the last goes on for ever. */
const ATTEMPTS: Readonly<Record<string, readonly Attempt[]>> = {
  'fails-for-ever': ['fails'],
  'given-back-often': [...Array<Attempt>(5).fill('given back'), 'succeeds'],
  'given-back-for-ever': ['given back'],
  'fails-and-is-given-back': ['fails', 'given back', 'fails', 'given back', 'fails', 'fails'],
  // A worker that is killed looks so from outside.
  'fails-and-is-lost': ['fails', 'hangs', 'hangs', 'fails', 'fails', 'fails'],
  'lost-often': [...Array<Attempt>(5).fill('hangs'), 'succeeds'],
  hangs: ['hangs'],
  'hangs-once': ['hangs', 'succeeds'],
};

// The real activity with its heartbeats and failures, over a runner of steps that does what no step should.
describe.skipIf(server === undefined)('a cohort whose activities misbehave', () => {
  const root = temporaryFolder('faulty-activities');
  const files = new LocalFiles();
  const tried = new Map<string, Attempt[]>();
  const letGo: (() => void)[] = [];
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([realTime(server!), impatientBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
    rmSync(root, { recursive: true, force: true });
  });

  function studies(ids: readonly string[]): ImagingUnit[] {
    return ids.map((caseId) => {
      const folder = join(root, 'studies', caseId);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'slice.dcm'), caseId);
      return { modality: 'imaging', caseId, source: { kind: 'dicom', folder } };
    });
  }

  async function work({ step, inputs, outputFolder }: StepTask): Promise<JsonObject> {
    const id = Object.values(inputs).flat()[0]!.split('/').at(-1)!;
    if (step === 'imaging.convert') {
      const now = tried.get(id)?.at(-1);
      if (now === 'fails') throw new CohortflowError('ProcessLost', 'its process ended');
      if (now === 'given back') throw new CohortflowError('WorkerShutdown', 'its worker was shut down');
      const summary = await FAULTS[id]?.();
      if (summary !== undefined) {
        writeFileSync(join(outputFolder, 'ct.nii.gz'), id);
        return summary;
      }
    }
    for (const name of ['ct.nii.gz', 'seg.nii.gz', 'features.json', 'conversion.json'])
      writeFileSync(join(outputFolder, name), id);
    return { rows: 1, columns: 1 };
  }

  const { runStep } = createStepActivities({
    files,
    ledger: new FileLedger(files),
    fingerprints: new LocalFingerprints(files, join(root, 'hashes')),
    runner: { run: work, close: async () => undefined },
    versionOf: () => 1,
    sharedFolder: join(root, 'shared'),
    workFolder: join(root, 'work'),
  });

  /**
   * An activity that never comes back and gives no sign of life (an event loop or a machine that stands still), or whose
   * answer the server does not take.
   */
  function misbehaving(request: StepRequest): Promise<StepReport> | undefined {
    const id = request.unit?.caseId ?? '';
    if (id === 'answers-too-much') {
      const report = { outcome: 'done', why: 'new', folder: root, outputs: [], summary: tooMuch() } as const;
      return Promise.resolve(report);
    }
    const plan = ATTEMPTS[id];
    if (request.step !== 'imaging.convert' || plan === undefined) return undefined;
    const before = tried.get(id) ?? [];
    const now = plan[Math.min(before.length, plan.length - 1)]!;
    tried.set(id, [...before, now]);
    if (now !== 'hangs') return undefined;
    return new Promise((_, reject) => letGo.push(() => reject(new Error('let go by the test'))));
  }

  it('gives each case one outcome with its code, tries no more often than it should, and does the rest', async () => {
    const ids = ['well', ...Object.keys(FAULTS), 'answers-too-much', ...Object.keys(ATTEMPTS)];
    const simulation = simulate(studies(ids));
    const heavy: StepActivities = { runStep: (request) => misbehaving(request) ?? runStep(request) };
    const stop = await startWorkers(env, bundle, { quick: simulation, heavy });
    const input = { cohort: '/sheet.csv', output: join(root, 'out'), concurrency: 50, pauseAfter: 1_000 };
    try {
      const started = { workflowId: 'faulty', taskQueue: TEST_QUEUE, args: [input] };
      const result = (await env.client.workflow.execute('imagingCohort', started)) as CohortResult;
      expect(result.imaging).toMatchObject({
        total: ids.length,
        done: WELL.length,
        failed: ids.length - WELL.length,
        cancelled: 0,
      });
    } finally {
      for (const go of letGo) go();
      await stop();
    }
    const ends = new Map(simulation.records.map((record) => [record.caseId, record]));
    expect(simulation.records).toHaveLength(ids.length - WELL.length);
    expect(Object.fromEntries([...ends].map(([id, { code, attempts }]) => [id, [code, attempts]]))).toEqual({
      'answers-too-much': ['InternalError', 1],
      'details-that-are-no-json': ['SegNotFound', 1],
      // Its own failures alone are counted up to 4, whatever happens to its workers in between.
      'fails-for-ever': ['ProcessLost', 4],
      'fails-and-is-given-back': ['ProcessLost', 6],
      'fails-and-is-lost': ['ProcessLost', 6],
      'given-back-for-ever': ['WorkerShutdown', 8],
      hangs: ['StepTimeout', 8],
      'no-error': ['InternalError', 1],
      'nothing-at-all': ['InternalError', 1],
      'too-large': ['InternalError', 1],
      'too-long-a-message': ['SegNotFound', 1],
      'too-many-details': ['SegNotFound', 1],
      'unknown-error': ['InternalError', 1],
    });
    const times = Object.fromEntries([...tried].map(([id, attempts]) => [id, attempts.length]));
    expect(times).toEqual({
      ...{
        'fails-for-ever': 4,
        'fails-and-is-given-back': 6,
        'fails-and-is-lost': 6,
        'given-back-for-ever': 8,
        hangs: 8,
      },
      ...{ 'given-back-often': 6, 'lost-often': 6, 'hangs-once': 2 },
    });
    expect(ends.get('unknown-error')?.message).toBe('cannot read properties of undefined');
    expect(ends.get('no-error')?.message).toBe('only a text');
    expect(ends.get('too-large')?.message).toContain('its summary has 3');
    expect(ends.get('too-long-a-message')?.message).toMatch(/^no segmentation: x+… \(\d+ more characters\)$/);

    // What failed for its answer alone is not noted as done, and leaves nothing.
    const output = join(root, 'out');
    expect(readdirSync(join(output, 'imaging')).sort()).toEqual(WELL);
    expect(readdirSync(join(output, 'run', 'steps', 'imaging')).sort()).toEqual(WELL);
    expect(readdirSync(join(output, 'run', '.work'))).toEqual([]);
  }, 120_000);

  it('ends when its pages are gone, instead of asking for them for ever; reset, it is open again', async () => {
    const simulation = simulate(studies(['first', 'second']));
    let asked = 0;
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const nextUnits: CohortActivities['nextUnits'] = async ({ from }) => {
      asked += 1;
      if (asked > 1) await held;
      return { units: [], reused: 0, next: from };
    };
    const stop = await startWorkers(env, bundle, { quick: { ...simulation, nextUnits }, heavy: simulation });
    try {
      const { workflow, connection } = env.client;
      const args = [{ cohort: '/sheet.csv', output: join(root, 'gone') }];
      const handle = await workflow.start('imagingCohort', { workflowId: 'gone', taskQueue: TEST_QUEUE, args });
      await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'FileNotFound' } });
      expect(asked).toBe(1);

      const server = new TemporalCohortServer(() => env.client, TEST_QUEUE);
      const runId = handle.firstExecutionRunId;
      expect(await server.isOpen('gone', runId)).toBe(false);
      // Started, task scheduled, task started, task completed.
      const firstTask = (await handle.fetchHistory()).events?.[3]?.eventId ?? null;
      await connection.workflowService.resetWorkflowExecution({
        namespace: env.client.options.namespace,
        workflowExecution: { workflowId: 'gone', runId },
        requestId: 'reset',
        workflowTaskFinishEventId: firstTask,
      });
      // Asked for by its run alone the first one has failed; the folder belongs to the one that goes on with it.
      const open = await Promise.all([server.isOpen('gone', runId), server.isOpen('gone', 'another run')]);
      expect(open).toEqual([true, false]);
    } finally {
      goOn();
      await stop();
    }
  }, 60_000);
});
