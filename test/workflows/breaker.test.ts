import { ApplicationFailure } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CONTROL_UPDATES,
  type RetryAnswer,
  type RetryRequest,
  type SteeringState,
} from '../../src/contracts/control.js';
import { PROGRESS_QUERY, type CohortProgress } from '../../src/contracts/progress.js';
import type { CohortResult } from '../../src/contracts/results.js';
import { Gate, through, until } from '../support/gate.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { indexOf, simulate, simulatedStudies } from '../support/temporal-simulation.js';
import { TEST_QUEUE, withWorkers } from '../support/temporal-workers.js';

const server = await temporalCli();
const WIDTH = 2;

const progressOf = (handle: WorkflowHandle): Promise<CohortProgress> =>
  handle.query<CohortProgress, []>(PROGRESS_QUERY);

describe.skipIf(server === undefined)('the circuit breaker', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([realTime(server!), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  /** Where the cohort stands once its breaker has tripped and nothing is under way. */
  async function tripped(handle: WorkflowHandle): Promise<CohortProgress['fanOut']> {
    await until(async () => {
      const { fanOut } = await progressOf(handle);
      return fanOut?.breaker !== undefined && fanOut.running === 0;
    });
    return (await progressOf(handle)).fanOut;
  }

  const retry = (handle: WorkflowHandle, request: RetryRequest): Promise<RetryAnswer> =>
    handle.executeUpdate<RetryAnswer, [RetryRequest]>(CONTROL_UPDATES.retryFailed, { args: [request] });

  const start = (workflowId: string, input: object): Promise<WorkflowHandle> =>
    env.client.workflow.start('imagingCohort', {
      workflowId,
      taskQueue: TEST_QUEUE,
      args: [{ cohort: '/sheet.csv', output: '/out', concurrency: WIDTH, ...input }],
    });

  it('pauses a cohort after failures of the environment in a row, and after that all of it comes out', async () => {
    let full = true;
    const simulation = simulate(simulatedStudies(30), (request) => {
      if (request.step === 'imaging.convert' && indexOf(request) >= 4 && full) {
        throw ApplicationFailure.nonRetryable('no space is left on the volume', 'DiskFull');
      }
    });
    const attempts = (): number => simulation.steps.filter(({ step }) => step === 'imaging.convert').length;
    await withWorkers(env, bundle, simulation, async () => {
      const handle = await start('disk-full', { pauseAfter: 3 });
      expect(await tripped(handle)).toMatchObject({ paused: true, breaker: { code: 'DiskFull', failures: 3 } });
      const attempted = attempts();
      // What was in flight when it tripped may have failed too; nothing is started after that.
      expect(attempted).toBeLessThanOrEqual(4 + 3 + WIDTH);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(attempts()).toBe(attempted);

      full = false;
      // What failed so does not count as failed, and is run again without being asked for.
      expect((await progressOf(handle)).fanOut).toMatchObject({ done: 4, failed: 0 });
      // A retry would run them twice.
      await expect(retry(handle, {})).rejects.toMatchObject({
        cause: { type: 'InvalidInput', message: expect.stringContaining('resume runs them again') as unknown },
      });
      await handle.executeUpdate<SteeringState, []>(CONTROL_UPDATES.resume);
      const { imaging } = (await handle.result()) as CohortResult;
      expect(imaging).toEqual({ total: 30, done: 30, reused: 0, failed: 0, cancelled: 0 });
      expect(attempts()).toBe(attempted + 30 - 4);
    });
  }, 60_000);

  it('of a lane pauses the whole cohort', async () => {
    let state: 'faulty' | 'full' | 'well' = 'faulty';
    const gate = new Gate();
    const simulation = simulate(simulatedStudies(12), (request) => {
      if (request.step !== 'imaging.convert') return undefined;
      if (indexOf(request) === 11) return gate.enter();
      if (state === 'faulty') throw ApplicationFailure.nonRetryable('no segmentation', 'SegNotFound');
      if (state === 'full') throw ApplicationFailure.nonRetryable('no space is left', 'DiskFull');
      return undefined;
    });
    await withWorkers(env, bundle, simulation, () =>
      through(gate, async () => {
        const handle = await start('lane-full', { pauseAfter: 3 });
        await until(async () => (await progressOf(handle)).fanOut?.failed === 11);
        state = 'full';
        // Retries run in lanes.
        expect(await retry(handle, {})).toEqual({ imaging: 11 });
        await until(async () => (await progressOf(handle)).fanOut?.breaker !== undefined);
        expect((await progressOf(handle)).fanOut).toMatchObject({ paused: true, breaker: { code: 'DiskFull' } });
        state = 'well';
        gate.openForAll();
        await handle.executeUpdate<SteeringState, []>(CONTROL_UPDATES.resume);
        await until(async () => (await progressOf(handle)).phase === 'finished');
        const { imaging } = (await handle.result()) as CohortResult;
        expect(imaging).toEqual({ total: 12, done: 12, reused: 0, failed: 0, cancelled: 0 });
      }),
    );
  }, 60_000);

  it('counts the failures of all lanes together, and what failed so in each of them is held', async () => {
    let state: 'faulty' | 'full' | 'well' = 'faulty';
    const gate = new Gate();
    const simulation = simulate(simulatedStudies(61), (request) => {
      if (request.step !== 'imaging.convert' || state === 'well') return undefined;
      if (indexOf(request) === 60) return gate.enter();
      if (state === 'faulty') throw ApplicationFailure.nonRetryable('no segmentation', 'SegNotFound');
      // Two lanes, each with every other study: none of them sees four in a row.
      if (indexOf(request) < 4) throw ApplicationFailure.nonRetryable('no space is left', 'DiskFull');
      return gate.enter();
    });
    await withWorkers(env, bundle, simulation, () =>
      through(gate, async () => {
        const handle = await start('lanes-full', { pauseAfter: 4, concurrency: 61 });
        await until(async () => (await progressOf(handle)).fanOut?.failed === 60);
        state = 'full';
        await retry(handle, {});
        await until(async () => (await progressOf(handle)).fanOut?.breaker !== undefined);
        expect((await progressOf(handle)).fanOut).toMatchObject({ breaker: { code: 'DiskFull', failures: 4 } });
        await expect(retry(handle, {})).rejects.toMatchObject({ cause: { type: 'InvalidInput' } });
        state = 'well';
        gate.openForAll();
        await handle.executeUpdate<SteeringState, []>(CONTROL_UPDATES.resume);
        const { imaging } = (await handle.result()) as CohortResult;
        expect(imaging).toEqual({ total: 61, done: 61, reused: 0, failed: 0, cancelled: 0 });
        expect(simulation.steps.filter(({ step }) => step === 'imaging.convert').length).toBe(60 + 61 + 4);
      }),
    );
  }, 120_000);

  it('holds the last ones of a cohort too: it ends only when they have been run again', async () => {
    let full = true;
    const simulation = simulate(simulatedStudies(3), (request) => {
      if (request.unit !== undefined && full) throw ApplicationFailure.nonRetryable('no space is left', 'DiskFull');
    });
    await withWorkers(env, bundle, simulation, async () => {
      const handle = await start('last-ones', { pauseAfter: 3, concurrency: 3 });
      expect(await tripped(handle)).toMatchObject({ paused: true, failed: 0, done: 0 });
      full = false;
      await handle.executeUpdate<SteeringState, []>(CONTROL_UPDATES.resume);
      expect(((await handle.result()) as CohortResult).imaging).toMatchObject({ done: 3, failed: 0 });
    });
  }, 60_000);

  it('is not tripped by faults of the data, nor by failures with others between them', async () => {
    const simulation = simulate(simulatedStudies(24), (request) => {
      if (request.step !== 'imaging.convert') return;
      if (indexOf(request) < 12) throw ApplicationFailure.nonRetryable('no segmentation', 'SegNotFound');
      if (indexOf(request) % 3 !== 0) throw ApplicationFailure.nonRetryable('no space is left', 'DiskFull');
    });
    await withWorkers(env, bundle, simulation, async () => {
      const handle = await start('mixed', { concurrency: 1, pauseAfter: 3 });
      expect(((await handle.result()) as CohortResult).imaging).toMatchObject({ done: 4, failed: 20 });
    });
  });
});
