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

// The real activity with its heartbeats and failures, over a runner of steps that does what no step should.
describe.skipIf(server === undefined)('a cohort whose activities misbehave', () => {
  const root = temporaryFolder('faulty-activities');
  const files = new LocalFiles();
  const hung = new Map<string, number>();
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
    if (request.step !== 'imaging.convert' || !id.startsWith('hangs')) return undefined;
    const times = (hung.get(id) ?? 0) + 1;
    hung.set(id, times);
    if (id === 'hangs-once' && times > 1) return undefined;
    return new Promise((_, reject) => letGo.push(() => reject(new Error('let go by the test'))));
  }

  it('gives each case one outcome with its code, tries no more often than it should, and does the rest', async () => {
    const ids = ['well', ...Object.keys(FAULTS), 'answers-too-much', 'hangs', 'hangs-once'];
    const simulation = simulate(studies(ids));
    const heavy: StepActivities = { runStep: (request) => misbehaving(request) ?? runStep(request) };
    const stop = await startWorkers(env, bundle, { quick: simulation, heavy });
    const input = { cohort: '/sheet.csv', output: join(root, 'out'), concurrency: 50, pauseAfter: 1_000 };
    try {
      const started = { workflowId: 'faulty', taskQueue: TEST_QUEUE, args: [input] };
      const result = (await env.client.workflow.execute('imagingCohort', started)) as CohortResult;
      expect(result.imaging).toMatchObject({ total: ids.length, done: 2, failed: ids.length - 2, cancelled: 0 });
    } finally {
      for (const go of letGo) go();
      await stop();
    }
    const ends = new Map(simulation.records.map((record) => [record.caseId, record]));
    expect(simulation.records).toHaveLength(ids.length - 2);
    expect(Object.fromEntries([...ends].map(([id, { code, attempts }]) => [id, [code, attempts]]))).toEqual({
      'answers-too-much': ['InternalError', 1],
      'details-that-are-no-json': ['SegNotFound', 1],
      hangs: ['StepTimeout', 4],
      'no-error': ['InternalError', 1],
      'nothing-at-all': ['InternalError', 1],
      'too-large': ['InternalError', 1],
      'too-long-a-message': ['SegNotFound', 1],
      'too-many-details': ['SegNotFound', 1],
      'unknown-error': ['InternalError', 1],
    });
    expect(Object.fromEntries(hung)).toEqual({ hangs: 4, 'hangs-once': 2 });
    expect(ends.get('unknown-error')?.message).toBe('cannot read properties of undefined');
    expect(ends.get('no-error')?.message).toBe('only a text');
    expect(ends.get('too-large')?.message).toContain('its summary has 3');
    expect(ends.get('too-long-a-message')?.message).toMatch(/^no segmentation: x+… \(\d+ more characters\)$/);

    // What failed for its answer alone is not noted as done, and leaves nothing.
    const output = join(root, 'out');
    expect(readdirSync(join(output, 'imaging')).sort()).toEqual(['hangs-once', 'well']);
    expect(readdirSync(join(output, 'run', 'steps', 'imaging')).sort()).toEqual(['hangs-once', 'well']);
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
