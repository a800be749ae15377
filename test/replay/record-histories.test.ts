import { ApplicationFailure } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { NO_UNITS } from '../../src/contracts/outcome.js';
import { CONTROL_UPDATES } from '../../src/contracts/control.js';
import { PROGRESS_QUERY, type CohortProgress } from '../../src/contracts/progress.js';
import {
  laneWorkflowId,
  modalityWorkflowId,
  poolWorkflowId,
  unitWorkflowId,
} from '../../src/contracts/workflow-ids.js';
import type { CohortUnit } from '../../src/domain/cohort/manifest.js';
import { CohortflowError } from '../../src/domain/errors.js';
import type { RemoteBehaviour } from '../../src/testing/index.js';
import { saveHistory } from '../support/history-files.js';
import { until } from '../support/gate.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import {
  indexOf,
  simulate,
  simulatedStudies,
  untilCancelled,
  type StepBehaviour,
} from '../support/temporal-simulation.js';
import { TEST_QUEUE, withWorkers } from '../support/temporal-workers.js';

/**
 * Records the histories that `replay.test.ts` replays, with `COHORTFLOW_RECORD_HISTORIES=1`. Record anew only together
 * with a release in which no cohort of an older version is still running: until then a change has to be patched.
 */
const wanted = process.env['COHORTFLOW_RECORD_HISTORIES'] === '1';
if (!wanted) console.warn('skipped: histories are recorded only when COHORTFLOW_RECORD_HISTORIES=1 asks for it');
const cli = wanted ? await temporalCli() : undefined;

describe.skipIf(cli === undefined)('recording histories', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([realTime(cli!), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  const segmented: StepBehaviour = (request, attempt) => {
    if (request.unit?.modality !== 'imaging') return;
    if (indexOf(request) === 2) throw ApplicationFailure.nonRetryable('no segmentation in the study', 'SegNotFound');
    if (indexOf(request) === 3 && attempt === 1) throw ApplicationFailure.retryable('its process ended', 'ProcessLost');
  };

  function record(
    units: readonly CohortUnit[],
    behave: StepBehaviour,
    type: string,
    workflowId: string,
    input: unknown,
    save: (workflowId: string) => readonly (readonly [name: string, workflowId: string])[],
    during: () => Promise<void> = async () => undefined,
    behaveRemotely?: RemoteBehaviour,
  ): Promise<void> {
    return withWorkers(env, bundle, simulate(units, behave, behaveRemotely), async () => {
      const handle = await env.client.workflow.start(type, { workflowId, taskQueue: TEST_QUEUE, args: [input] });
      await during();
      await handle.result().catch(() => undefined);
      for (const [name, id] of save(workflowId)) await saveHistory(name, cli!, env.address, id);
    });
  }

  it('of a multimodal cohort, its parts and its units', async () => {
    const reads = (index: number): CohortUnit => ({
      modality: 'genomics',
      caseId: `S-${index}`,
      source: { kind: 'fastq', lanes: [{ fastq1: `/reads/${index}.fq` }], strandedness: 'auto' },
    });
    const units: readonly CohortUnit[] = [...simulatedStudies(6), reads(0), reads(1)];
    const input = {
      cohort: '/sheet.csv',
      clinical: '/table.csv',
      transcripts: '/t.fa',
      annotation: '/a.gtf',
      output: '/out',
    };
    await record(units, segmented, 'multimodalCohort', 'cohort', { ...input, concurrency: 3 }, (root) => {
      const imaging = modalityWorkflowId(root, 'imaging');
      const genomics = modalityWorkflowId(root, 'genomics');
      return [
        ['multimodal-cohort', root],
        ['imaging-cohort', imaging],
        ['genomics-cohort', genomics],
        ['clinical-features', modalityWorkflowId(root, 'clinical')],
        ['imaging-study-done', unitWorkflowId(imaging, 'S-1')],
        ['imaging-study-failed', unitWorkflowId(imaging, 'S-2')],
        ['imaging-study-retried', unitWorkflowId(imaging, 'S-3')],
        ['genomics-sample', unitWorkflowId(genomics, 'S-0')],
      ];
    });
  });

  it('of units that services compute: lost once, failed, done, and cancelled', async () => {
    const reads: CohortUnit = {
      modality: 'genomics',
      caseId: 'G-0',
      source: { kind: 'sra', runs: ['SRR1553500'], strandedness: 'auto' },
    };
    const input = {
      cohort: '/sheet.csv',
      output: '/out',
      imagingExecutor: 'sagemaker',
      genomicsExecutor: 'dragen',
      featureStore: 'sagemaker',
    };
    const lossy: RemoteBehaviour = ({ name }) => {
      if (name === 'S-1-1') throw new CohortflowError('JobLost', 'the service lost it');
      if (name === 'S-2-1')
        throw new CohortflowError('MissingSlice', 'a slice is missing', { step: 'imaging.convert' });
    };
    const save = (root: string) => {
      const imaging = modalityWorkflowId(root, 'imaging');
      const genomics = modalityWorkflowId(root, 'genomics');
      return [
        ['multimodal-cohort-given', root],
        ['imaging-cohort-given', imaging],
        ['genomics-cohort-given', genomics],
        ['imaging-study-given', unitWorkflowId(imaging, 'S-0')],
        ['imaging-study-given-again', unitWorkflowId(imaging, 'S-1')],
        ['imaging-study-given-failed', unitWorkflowId(imaging, 'S-2')],
        ['genomics-sample-given', unitWorkflowId(genomics, 'G-0')],
      ] as const;
    };
    const units = [...simulatedStudies(3), reads];
    await record(units, () => undefined, 'multimodalCohort', 'given', input, save, undefined, lossy);

    let waiting = 0;
    const endless: RemoteBehaviour = async () => {
      waiting += 1;
      await untilCancelled();
    };
    const cancel = async (): Promise<void> => {
      await until(async () => waiting === 1);
      await env.client.workflow.getHandle('given-cancelled').cancel();
    };
    const saveCancelled = (id: string) => [['imaging-study-given-cancelled', unitWorkflowId(id, 'S-0')]] as const;
    const { genomicsExecutor: _, ...imagingOnly } = input;
    await record(
      simulatedStudies(1),
      () => undefined,
      'imagingCohort',
      'given-cancelled',
      imagingOnly,
      saveCancelled,
      cancel,
      endless,
    );
  }, 180_000);

  it('of a sweep', async () => {
    const input = { executors: ['sagemaker'] };
    await record(
      [],
      () => undefined,
      'sweepRemoteWork',
      'sweep',
      input,
      (id) => [['sweep', id]],
    );
  });

  it('of a cohort that is its own root, and of one that is cancelled', async () => {
    const input = { cohort: '/sheet.csv', output: '/out', concurrency: 2 };
    await record(simulatedStudies(5), segmented, 'imagingCohort', 'root', input, (id) => [['imaging-cohort-root', id]]);
    let working = 0;
    const endless: StepBehaviour = async () => {
      working += 1;
      await untilCancelled();
    };
    const cancel = async (): Promise<void> => {
      while (working < 2) await new Promise((resolve) => setTimeout(resolve, 50));
      await env.client.workflow.getHandle('cancelled').cancel();
    };
    const save = (id: string) =>
      [
        ['imaging-cohort-cancelled', id],
        ['imaging-study-cancelled', unitWorkflowId(id, 'S-0')],
      ] as const;
    await record(simulatedStudies(5), endless, 'imagingCohort', 'cancelled', input, save, cancel);
  });

  it('of a cohort with a pool, paused by its breaker, whose failures are retried, and of the pool', async () => {
    let full = true;
    let retried = false;
    // The first fails of itself and is retried; the breaker takes the others back. The last ends no sooner than that.
    const filling: StepBehaviour = async (request) => {
      if (request.unit === undefined || (indexOf(request) === 0 && retried)) return;
      if (indexOf(request) === 0) throw ApplicationFailure.nonRetryable('no segmentation in the study', 'SegNotFound');
      if (full) throw ApplicationFailure.nonRetryable('no space is left', 'DiskFull');
      if (indexOf(request) === 4) await until(async () => retried);
    };
    const pool = { name: 'jobs', size: 2 };
    const input = { cohort: '/sheet.csv', output: '/out', pauseAfter: 2, pool };
    const mend = async (): Promise<void> => {
      const handle = env.client.workflow.getHandle('paused');
      const tripped = async (): Promise<boolean> => {
        const { fanOut } = await handle.query<CohortProgress, []>(PROGRESS_QUERY);
        return fanOut?.breaker !== undefined && fanOut.running === 0;
      };
      await until(tripped);
      full = false;
      await handle.executeUpdate<unknown, []>(CONTROL_UPDATES.resume);
      // Refused as long as the breaker holds cases, which leaves nothing in the history.
      const retry = () => handle.executeUpdate<unknown, [object]>(CONTROL_UPDATES.retryFailed, { args: [{}] });
      await until(() =>
        retry().then(
          () => true,
          () => false,
        ),
      );
      retried = true;
      await handle.executeUpdate<unknown, [number]>(CONTROL_UPDATES.setStartRate, { args: [6000] });
      await handle.result();
      // The pool ends by itself when nobody holds anything.
      await env.client.workflow.getHandle(poolWorkflowId('jobs')).result();
    };
    const save = (id: string) =>
      [
        ['imaging-cohort-paused', id],
        ['cohort-lane-retry', laneWorkflowId(id, 0, 1)],
        ['resource-pool', poolWorkflowId('jobs')],
      ] as const;
    await record(simulatedStudies(5), filling, 'imagingCohort', 'paused', input, save, mend);
  }, 180_000);

  it('of a cohort in lanes and of a lane that continues as new', async () => {
    const large = { cohort: '/sheet.csv', output: '/out', concurrency: 3 };
    await record(
      simulatedStudies(401),
      () => undefined,
      'imagingCohort',
      'large',
      large,
      (id) => [['imaging-cohort-in-lanes', id]],
    );
    const fanOut = {
      modality: 'imaging',
      cohortId: 'c',
      output: '/out',
      runId: 'r',
      total: 9,
      childInput: { output: '/out' },
      pauseAfter: 5,
      pooled: false,
      searchAttributes: false,
    };
    const steering = { paused: false, width: 2, startRate: 0 };
    const slice = { round: 0, first: 0, stride: 1, at: 0, counts: { ...NO_UNITS, total: 9 }, steering };
    await withWorkers(env, bundle, simulate(simulatedStudies(9)), async () => {
      const workflowId = laneWorkflowId('c', 0);
      const args = [{ fanOut, slice, limit: 5 }];
      const handle = await env.client.workflow.start('cohortLane', { workflowId, taskQueue: TEST_QUEUE, args });
      await handle.result();
      await saveHistory('cohort-lane-continued', cli!, env.address, workflowId, handle.firstExecutionRunId);
      await saveHistory('cohort-lane-last', cli!, env.address, workflowId);
    });
  }, 180_000);
});
