import { ApplicationFailure } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTROL_UPDATES, type RetryAnswer, type RetryRequest } from '../../src/contracts/control.js';
import { PROGRESS_QUERY, type CohortProgress } from '../../src/contracts/progress.js';
import type { CohortResult } from '../../src/contracts/results.js';
import type { CohortUnit } from '../../src/domain/cohort/manifest.js';
import { Gate, through, until } from '../support/gate.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { indexOf, simulate, simulatedStudies } from '../support/temporal-simulation.js';
import { TEST_QUEUE, withWorkers } from '../support/temporal-workers.js';

const server = await temporalCli();

describe.skipIf(server === undefined)('retrying what failed while the cohort runs', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([realTime(server!), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  const reads = (index: number): CohortUnit => ({
    modality: 'genomics',
    caseId: `S-${index}`,
    source: { kind: 'fastq', lanes: [{ fastq1: `/reads/${index}.fq` }], strandedness: 'auto' },
  });

  it('takes them in again beside the others, of a modality that has ended too; each counts once', async () => {
    const gate = new Gate();
    let mended = false;
    const units = [...simulatedStudies(12), ...[0, 1, 2].map(reads)];
    const simulation = simulate(units, (request) => {
      if (request.unit?.modality === 'genomics') return gate.enter();
      if (request.step !== 'imaging.convert' || mended) return undefined;
      if (indexOf(request) % 4 === 1) throw ApplicationFailure.nonRetryable('no segmentation', 'SegNotFound');
      if (indexOf(request) % 4 === 2) throw ApplicationFailure.nonRetryable('a slice is missing', 'MissingSlice');
      return undefined;
    });
    await withWorkers(env, bundle, simulation, () =>
      through(gate, async () => {
        const handle = await env.client.workflow.start('multimodalCohort', {
          workflowId: 'retried',
          taskQueue: TEST_QUEUE,
          args: [{ cohort: '/sheet.csv', output: '/out', transcripts: '/t.fa', annotation: '/a.gtf' }],
        });
        const retry = (request: RetryRequest): Promise<RetryAnswer> =>
          handle.executeUpdate<RetryAnswer, [RetryRequest]>(CONTROL_UPDATES.retryFailed, { args: [request] });
        await until(async () => {
          const { parts } = await handle.query<CohortProgress, []>(PROGRESS_QUERY);
          return parts.imaging?.done === 6 && parts.imaging.failed === 6;
        });
        const refused = retry({ code: 'NoSuchCode' });
        await expect(refused).rejects.toMatchObject({ cause: { type: 'InvalidInput' } });
        mended = true;
        expect(await retry({ code: 'SegNotFound' })).toEqual({ imaging: 3, genomics: 0 });
        const again = (): number => simulation.steps.filter(({ step }) => step === 'imaging.overlay').length;
        await until(() => again() === 9);
        gate.openForAll();
        const { imaging, genomics } = (await handle.result()) as CohortResult;
        expect(imaging).toEqual({ total: 12, done: 9, reused: 0, failed: 3, cancelled: 0 });
        expect(genomics).toMatchObject({ total: 3, done: 3 });
        const refusedLate = retry({});
        await expect(refusedLate).rejects.toThrow();
      }),
    );
  }, 90_000);

  it('within one modality: what is retried shares the width with what goes on', async () => {
    const gate = new Gate();
    let mended = false;
    const simulation = simulate(simulatedStudies(20), (request) => {
      if (request.step !== 'imaging.convert') return undefined;
      if (indexOf(request) < 5 && !mended) throw ApplicationFailure.nonRetryable('no segmentation', 'SegNotFound');
      return indexOf(request) < 5 ? undefined : gate.enter();
    });
    await withWorkers(env, bundle, simulation, () =>
      through(gate, async () => {
        const handle = await env.client.workflow.start('imagingCohort', {
          workflowId: 'within',
          taskQueue: TEST_QUEUE,
          args: [{ cohort: '/sheet.csv', output: '/out', concurrency: 4 }],
        });
        await until(() => gate.waiting.length === 4);
        mended = true;
        const answer = await handle.executeUpdate<RetryAnswer, [RetryRequest]>(CONTROL_UPDATES.retryFailed, {
          args: [{ step: 'imaging.convert' }],
        });
        expect(answer).toEqual({ imaging: 5 });
        const progress = await handle.query<CohortProgress, []>(PROGRESS_QUERY);
        expect(progress.fanOut).toMatchObject({ failed: 0, retried: 5 });
        gate.openForAll();
        const { imaging } = (await handle.result()) as CohortResult;
        expect(imaging).toEqual({ total: 20, done: 20, reused: 0, failed: 0, cancelled: 0 });
      }),
    );
  }, 60_000);
});
