import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CohortResult } from '../../src/contracts/results.js';
import { idealMakespan, logNormalTimes } from '../support/makespan.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { parentHistory } from '../support/temporal-history.js';
import { simulatedTime, timeSkippingServer } from '../support/temporal-servers.js';
import { lasting, simulate, simulatedStudies } from '../support/temporal-simulation.js';
import { runToEnd, withWorkers } from '../support/temporal-workers.js';

const server = await timeSkippingServer();
const MINUTE = 60_000;
const STUDIES = 162;
const WIDTH = 50;

describe.skipIf(server === undefined)('162 studies, 50 at once, in simulated time', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([simulatedTime(server!), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  async function cohort(workflowId: string, milliseconds: (index: number) => number) {
    const simulation = simulate(simulatedStudies(STUDIES), lasting(milliseconds));
    return withWorkers(env, bundle, simulation, async () => {
      const input = { cohort: '/sheet.csv', output: `/out/${workflowId}`, concurrency: WIDTH };
      const result = await runToEnd<CohortResult>(env, 'imagingCohort', workflowId, input);
      return { result, history: await parentHistory(env.client.workflow.getHandle(workflowId)) };
    });
  }

  it('of exactly five minutes end within 21 minutes, never more than 50 in flight', async () => {
    const { result, history } = await cohort('fixed', () => 5 * MINUTE);
    expect(result.imaging).toEqual({ total: STUDIES, done: STUDIES, reused: 0, failed: 0, cancelled: 0 });
    expect(history.children).toBe(STUDIES);
    expect(history.mostInFlight).toBe(WIDTH);
    expect(history.minutes).toBeGreaterThanOrEqual(20);
    expect(history.minutes).toBeLessThanOrEqual(21);
  }, 180_000);

  it('of log-normal times with mean five end within 5 % of an ideal greedy pool', async () => {
    const times = logNormalTimes(STUDIES, 5 * MINUTE, 1);
    const { result, history } = await cohort('log-normal', (index) => times[index]!);
    const ideal = idealMakespan(times, WIDTH) / MINUTE;

    // Were one study longer than everything else together, any order of starting would pass.
    expect(Math.max(...times) / MINUTE).toBeLessThan(ideal);
    expect(result.imaging?.done).toBe(STUDIES);
    expect(history.mostInFlight).toBeLessThanOrEqual(WIDTH);
    expect(history.minutes / ideal).toBeGreaterThanOrEqual(1);
    expect(history.minutes / ideal).toBeLessThanOrEqual(1.05);
  }, 180_000);
});
