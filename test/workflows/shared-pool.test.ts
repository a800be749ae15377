import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TemporalCohortServer } from '../../src/app/cohort-server.js';
import type { PoolClaim } from '../../src/contracts/activities.js';
import { CONTROL_UPDATES, type SteeringState } from '../../src/contracts/control.js';
import { POOL_QUERY, type PoolHolder } from '../../src/contracts/pools.js';
import { poolWorkflowId } from '../../src/contracts/workflow-ids.js';
import type { CohortResult } from '../../src/contracts/results.js';
import { Gate, through, until } from '../support/gate.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { simulate, simulatedStudies } from '../support/temporal-simulation.js';
import { TEST_QUEUE, withWorkers } from '../support/temporal-workers.js';

const server = await temporalCli();
const STUDIES = 60;
const SLOTS = 8;

describe.skipIf(server === undefined)('a pool that cohorts share', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([realTime(server!), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  it('is never exceeded when its workflow was terminated while a cohort held all of it', async () => {
    const gate = new Gate();
    const inFlight = new Set<string>();
    let most = 0;
    const mocks = simulate(simulatedStudies(SLOTS), async ({ unit, output, step }) => {
      if (unit === undefined) return;
      const key = `${output} ${unit.caseId}`;
      if (step === 'imaging.convert') inFlight.add(key);
      most = Math.max(most, inFlight.size);
      await gate.enter();
      if (step === 'imaging.overlay') inFlight.delete(key);
    });
    const real = new TemporalCohortServer(() => env.client, TEST_QUEUE);
    const simulation = { ...mocks, claimPool: (claim: PoolClaim) => real.claimPool(claim, true) };
    await withWorkers(env, bundle, simulation, () =>
      through(gate, async () => {
        const start = (name: string) =>
          env.client.workflow.start('imagingCohort', {
            workflowId: name,
            taskQueue: TEST_QUEUE,
            args: [{ cohort: '/sheet.csv', output: `/${name}`, pool: { name: 'cut', size: SLOTS } }],
          });
        const pool = env.client.workflow.getHandle(poolWorkflowId('cut'));
        const granted = async (): Promise<Record<string, number>> => {
          const holders = await pool.query<readonly PoolHolder[], []>(POOL_QUERY).catch(() => []);
          return Object.fromEntries(holders.map((one) => [one.holder, one.granted]));
        };
        const before = await start('before');
        await until(() => inFlight.size === SLOTS);
        await pool.terminate('by a test');
        const after = await start('after');
        // Half is taken back from the one, which has not given it back yet: nothing is left for the other.
        await until(async () => (await granted())['before'] === SLOTS / 2);
        expect((await granted())['after']).toBe(0);
        gate.openForAll();
        for (const handle of [before, after]) {
          expect(((await handle.result()) as CohortResult).imaging).toMatchObject({ total: SLOTS, done: SLOTS });
        }
        expect(most).toBe(SLOTS);
      }),
    );
  }, 120_000);

  it('is never exceeded, is divided fairly, and goes to who is left when one has ended or is paused', async () => {
    const inFlight = new Map<string, number>();
    let most = 0;
    const gate = new Gate();
    gate.openForAll();
    const together = (): number => [...inFlight.values()].reduce((sum, one) => sum + one, 0);
    const simulation = simulate(simulatedStudies(STUDIES), async (request) => {
      if (request.unit === undefined) return;
      const { output } = request;
      if (request.step === 'imaging.convert') inFlight.set(output, (inFlight.get(output) ?? 0) + 1);
      most = Math.max(most, together());
      await new Promise((resolve) => setTimeout(resolve, 30));
      await gate.enter();
      if (request.step === 'imaging.overlay') inFlight.set(output, (inFlight.get(output) ?? 0) - 1);
    });
    await withWorkers(env, bundle, simulation, () =>
      through(gate, async () => {
        const start = (name: string) =>
          env.client.workflow.start('imagingCohort', {
            workflowId: name,
            taskQueue: TEST_QUEUE,
            args: [{ cohort: '/sheet.csv', output: `/${name}`, concurrency: 6, pool: { name: 'jobs', size: SLOTS } }],
          });
        const pool = env.client.workflow.getHandle(poolWorkflowId('jobs'));
        const holders = (): Promise<readonly PoolHolder[]> => pool.query<readonly PoolHolder[], []>(POOL_QUERY);
        const granted = async (): Promise<Record<string, number>> =>
          Object.fromEntries((await holders()).map((one) => [one.holder, one.granted]));

        // Before the first claim there is no pool to ask.
        const none = (): Record<string, number> => ({});
        const first = await start('first');
        await until(async () => (await granted().catch(none))['first'] === 6);
        const second = await start('second');
        await until(async () => {
          const now = await granted();
          return now['first'] === SLOTS / 2 && now['second'] === SLOTS / 2;
        });
        // Whatever is granted can be used at once.
        gate.open = false;
        await until(() => together() === SLOTS);
        gate.openForAll();
        await first.executeUpdate<SteeringState, []>(CONTROL_UPDATES.pause);
        await until(async () => (await granted())['second'] === 6);
        expect(inFlight.get('/first') ?? 0).toBe(0);
        await first.executeUpdate<SteeringState, []>(CONTROL_UPDATES.resume);
        for (const handle of [first, second]) {
          expect(((await handle.result()) as CohortResult).imaging).toMatchObject({ total: STUDIES, done: STUDIES });
        }
        expect(most).toBe(SLOTS);
        await until(async () => (await holders()).length === 0);
      }),
    );
  }, 120_000);
});
