import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTROL_UPDATES, type SteeringState } from '../../src/contracts/control.js';
import { POOL_QUERY, type PoolHolder } from '../../src/contracts/pools.js';
import { PROGRESS_QUERY, type CohortProgress } from '../../src/contracts/progress.js';
import type { CohortResult } from '../../src/contracts/results.js';
import { poolWorkflowId } from '../../src/contracts/workflow-ids.js';
import { Gate, through, until } from '../support/gate.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import {
  simulate,
  simulatedStudies,
  untilCancelled,
  type Simulation,
  type StepBehaviour,
} from '../support/temporal-simulation.js';
import { TEST_QUEUE, withWorkers } from '../support/temporal-workers.js';

const server = await temporalCli();
/** Events after which the server wants a workflow to continue as new: a pool's life of months in seconds. */
const SHORT = ['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=40'];
const SLOTS = 50;
const STUDIES = 162;
const IN_LANES = 450;

/** A cohort at `/lanes` has so many studies that it runs in lanes, but most of them are finished already. */
function mixed(behave: StepBehaviour): Simulation {
  const mocks = simulate(simulatedStudies(IN_LANES), behave);
  return {
    ...mocks,
    prepareCohort: async (request) => {
      const prepared = await mocks.prepareCohort(request);
      return { ...prepared, imaging: request.input.output === '/lanes' ? IN_LANES : STUDIES };
    },
    nextUnits: async (page) => {
      const { units, next } = await mocks.nextUnits(page);
      if (page.output !== '/lanes') return { units: units.filter(({ at }) => at < STUDIES), reused: 0, next };
      // Nine of every twenty-five, wherever a page begins: what lies before each is finished already.
      const some = units.filter(({ at }) => at % 25 < 9);
      let before = page.from;
      const due = some.map(({ unit, at }) => {
        const reused = at - before;
        before = at + 1;
        return { unit, at, reused };
      });
      return { units: due, reused: next - before, next };
    },
  };
}

describe.skipIf(server === undefined)('a pool that continues as new while cohorts hold its slots', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([realTime(server!, SHORT), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  const start = (name: string, pool: string, concurrency: number) =>
    env.client.workflow.start('imagingCohort', {
      workflowId: name,
      taskQueue: TEST_QUEUE,
      args: [{ cohort: '/sheet.csv', output: `/${name}`, concurrency, pool: { name: pool, size: SLOTS } }],
    });
  const poolOf = (name: string) => env.client.workflow.getHandle(poolWorkflowId(name));

  it('tells each grant, also the one that was due when it did', async () => {
    const simulation = mixed(async ({ unit }) => {
      if (unit !== undefined) await untilCancelled();
    });
    await withWorkers(env, bundle, simulation, async () => {
      const cohort = await start('steady', 'steady', 4);
      const pool = poolOf('steady');
      const slots = async (): Promise<number | undefined> =>
        (await cohort.query<CohortProgress, []>(PROGRESS_QUERY)).fanOut?.pool?.slots;
      await until(async () => (await slots()) === 4);
      const { runId } = await pool.describe();
      const runs = new Set([runId]);
      // Several of its runs: a grant is due at the end of one of them.
      for (let round = 0; runs.size < 4; round += 1) {
        const width = 5 + (round % 3);
        await cohort.executeUpdate<SteeringState, [number]>(CONTROL_UPDATES.setConcurrency, { args: [width] });
        await until(async () => {
          const [holder] = await pool.query<readonly PoolHolder[], []>(POOL_QUERY);
          return holder?.granted === width && (await slots()) === width;
        });
        runs.add((await pool.describe()).runId);
      }
      await cohort.cancel();
      await expect(cohort.result()).rejects.toThrow();
    });
  }, 180_000);

  it('is never exceeded by two that each could use all of it, one of them in lanes', async () => {
    const inFlight = new Set<string>();
    let most = 0;
    // Nothing goes on before every slot is in use: how many that are is then no question of the machine's speed.
    const full = new Gate();
    const simulation = mixed(async ({ unit, step, output }) => {
      if (unit === undefined) return;
      const key = `${output} ${unit.caseId}`;
      if (step === 'imaging.convert') inFlight.add(key);
      most = Math.max(most, inFlight.size);
      if (inFlight.size >= SLOTS) full.openForAll();
      await full.enter();
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (step === 'imaging.overlay') inFlight.delete(key);
    });
    await withWorkers(env, bundle, simulation, () =>
      through(full, async () => {
        const cohorts = await Promise.all([start('direct', 'wide', SLOTS), start('lanes', 'wide', SLOTS)]);
        const pool = poolOf('wide');
        await until(() => full.open, 120);
        const results = await Promise.all(cohorts.map((cohort) => cohort.result() as Promise<CohortResult>));
        expect(results.map(({ imaging }) => imaging?.done)).toEqual([STUDIES, STUDIES]);
        expect(most).toBe(SLOTS);
        const [started] = (await pool.fetchHistory()).events ?? [];
        const { continuedExecutionRunId } = started?.workflowExecutionStartedEventAttributes ?? {};
        expect(continuedExecutionRunId).toMatch(/./);
        await until(async () => (await pool.query<readonly PoolHolder[], []>(POOL_QUERY)).length === 0);
      }),
    );
  }, 300_000);
});
