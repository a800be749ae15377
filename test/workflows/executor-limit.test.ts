import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PreparedRun } from '../../src/contracts/inputs.js';
import { CONTROL_UPDATES, type SteeringState } from '../../src/contracts/control.js';
import { PROGRESS_QUERY, type CohortProgress } from '../../src/contracts/progress.js';
import type { CohortResult } from '../../src/contracts/results.js';
import { Gate, through, until } from '../support/gate.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { simulate, simulatedStudies, type Simulation } from '../support/temporal-simulation.js';
import { TEST_QUEUE, withWorkers } from '../support/temporal-workers.js';

const server = await temporalCli();
const STUDIES = 10;
const WHY = 'the quota "ml.r5.large for processing job usage"';

describe.skipIf(server === undefined)('what an executor can hold', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([realTime(server!), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  /** A cohort of studies that a service computes, and what the worker found of that service. */
  function limited(gate: Gate, found: Pick<PreparedRun, 'limits' | 'limitedBy'>) {
    let now = 0;
    const most = { together: 0 };
    const simulation: Simulation = simulate(simulatedStudies(STUDIES), undefined, async () => {
      now += 1;
      most.together = Math.max(most.together, now);
      await gate.enter();
      now -= 1;
    });
    const { prepareCohort } = simulation;
    simulation.prepareCohort = async (request) => ({ ...(await prepareCohort(request)), ...found });
    return { simulation, most };
  }

  it.each([
    ['imagingCohort', undefined],
    ['multimodalCohort', undefined],
    // The user's own pool does not widen the account.
    ['multimodalCohort', { name: 'mine', size: 40 }],
  ])('is never exceeded by %s with pool %j, whatever width it is told, and is said', async (type, pool) => {
    const gate = new Gate();
    const { simulation, most } = limited(gate, { limits: { imaging: 3 }, limitedBy: { imaging: WHY } });
    await withWorkers(env, bundle, simulation, () =>
      through(gate, async () => {
        const workflowId = `limited-${type}-${pool?.name ?? 'none'}`;
        const handle = await env.client.workflow.start(type, {
          ...{ workflowId, taskQueue: TEST_QUEUE },
          args: [{ cohort: '/sheet.csv', output: '/out', imagingExecutor: 'sagemaker', concurrency: 5, pool }],
        });
        await until(() => gate.waiting.length === 3);
        const units = env.client.workflow.getHandle(type === 'imagingCohort' ? workflowId : `${workflowId}/imaging`);
        const progress = async (): Promise<CohortProgress['fanOut']> =>
          (await units.query<CohortProgress, []>(PROGRESS_QUERY)).fanOut;
        expect(await progress()).toMatchObject({ width: 3, running: 3, note: `width 3 of 5: ${WHY}` });
        const told = await handle.executeUpdate<SteeringState, [number]>(CONTROL_UPDATES.setConcurrency, {
          args: [50],
        });
        expect(told.width).toBe(3);
        await until(async () => (await progress())?.note === `width 3 of 50: ${WHY}`);
        // The pool of the executor, or the user's own cut to it.
        expect((await progress())?.pool).toEqual({ name: pool?.name ?? 'sagemaker', slots: 3 });
        gate.letThrough(2);
        await until(() => gate.waiting.length === 3);
        gate.openForAll();
        const result = (await handle.result()) as CohortResult;
        expect(result.imaging).toMatchObject({ total: STUDIES, done: STUDIES });
        expect(result.notes).toEqual([`imaging: width 3 of 5: ${WHY}`]);
        expect(most.together).toBe(3);
      }),
    );
  });

  it('is said where nobody could tell what it is', async () => {
    const gate = new Gate();
    const { simulation, most } = limited(gate, { limitedBy: { imaging: 'Service Quotas did not answer' } });
    await withWorkers(env, bundle, simulation, () =>
      through(gate, async () => {
        const handle = await env.client.workflow.start('imagingCohort', {
          ...{ workflowId: 'unknown-limit', taskQueue: TEST_QUEUE },
          args: [{ cohort: '/sheet.csv', output: '/out', imagingExecutor: 'sagemaker', concurrency: 5 }],
        });
        await until(() => gate.waiting.length === 5);
        const details = await handle.query<string, []>('__temporal_workflow_metadata');
        expect(JSON.stringify(details)).toContain('width 5: Service Quotas did not answer');
        gate.openForAll();
        expect(((await handle.result()) as CohortResult).notes).toEqual([
          'imaging: width 5: Service Quotas did not answer',
        ]);
        expect(most.together).toBe(5);
      }),
    );
  });
});
