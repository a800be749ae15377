import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTROL_UPDATES, type SteeringState } from '../../src/contracts/control.js';
import { PROGRESS_QUERY, type CohortProgress } from '../../src/contracts/progress.js';
import type { CohortResult } from '../../src/contracts/results.js';
import { laneWorkflowId } from '../../src/contracts/workflow-ids.js';
import { until } from '../support/gate.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { simulate, simulatedStudies, untilCancelled, type Simulation } from '../support/temporal-simulation.js';
import { TEST_QUEUE, startWorkers } from '../support/temporal-workers.js';

const server = await temporalCli();
const STUDIES = 450;
const LANES = [0, 1];
/** Of each page of 50 so many are still to be run. */
const PER_PAGE = 2;

describe.skipIf(server === undefined)('a cohort in lanes that is terminated and run again at once', () => {
  let env: TestWorkflowEnvironment;
  let stop: () => Promise<void>;
  let simulation: Simulation;
  let hanging = true;

  beforeAll(async () => {
    const [made, bundle] = await Promise.all([realTime(server!), sourceBundle()]);
    env = made;
    const mocks = simulate(simulatedStudies(STUDIES), async ({ step }) => {
      if (!hanging || step !== 'imaging.radiomics') return;
      await untilCancelled();
      // The lane of the run before is still there when the next run wants its id.
      await new Promise((resolve) => setTimeout(resolve, 2_000));
    });
    simulation = {
      ...mocks,
      nextUnits: async (request) => {
        const { units, next } = await mocks.nextUnits(request);
        return { units: units.slice(0, PER_PAGE), reused: units.length - PER_PAGE, next };
      },
    };
    stop = await startWorkers(env, bundle, { quick: simulation, heavy: simulation });
  });

  afterAll(async () => {
    await stop?.();
    await env?.teardown();
  });

  const begun = (step: string): number => simulation.steps.filter((one) => one.step === step).length;
  const lanesOf = async (workflowId: string): Promise<string[]> =>
    Promise.all(
      LANES.map(
        async (lane) => (await env.client.workflow.getHandle(laneWorkflowId(workflowId, lane)).describe()).runId,
      ),
    );

  /** Runs it until its first studies hang, terminates it, and starts it again. */
  async function again(workflowId: string, more: object): Promise<WorkflowHandle> {
    const args = [{ cohort: '/sheet.csv', output: `/${workflowId}`, concurrency: 4, ...more }];
    const start = () => env.client.workflow.start('imagingCohort', { workflowId, taskQueue: TEST_QUEUE, args });
    hanging = true;
    simulation.steps.length = 0;
    const first = await start();
    await until(() => begun('imaging.radiomics') === 4);
    hanging = false;
    // Those that hang end only now, and slowly.
    await first.terminate('by the test');
    simulation.steps.length = 0;
    return start();
  }

  it('gives its slots of a pool to the lanes of its own run, and ends', async () => {
    const handle = await again('pooled', { pool: { name: 'jobs', size: 8 } });
    const { imaging } = (await handle.result()) as CohortResult;
    expect(imaging).toEqual({ total: STUDIES, done: 20, reused: STUDIES - 20, failed: 0, cancelled: 0 });
  }, 120_000);

  it('is paused when it was told so before its lanes had begun', async () => {
    const handle = await again('paused', {});
    const before = await lanesOf('paused');
    await until(async () => (await handle.query<CohortProgress, []>(PROGRESS_QUERY)).phase === 'running');
    await handle.executeUpdate<SteeringState, []>(CONTROL_UPDATES.pause);
    await until(async () => (await lanesOf('paused')).every((id) => !before.includes(id)), 60);
    for (const lane of LANES) {
      const of = env.client.workflow.getHandle(laneWorkflowId('paused', lane));
      await until(async () => (await of.query<CohortProgress, []>(PROGRESS_QUERY)).fanOut?.paused === true);
    }
    expect(begun('imaging.convert')).toBe(0);
    await handle.executeUpdate<SteeringState, []>(CONTROL_UPDATES.resume);
    const { imaging } = (await handle.result()) as CohortResult;
    expect(imaging).toMatchObject({ done: 20, failed: 0 });
  }, 120_000);
});
