import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTROL_UPDATES, type SteeringState } from '../../src/contracts/control.js';
import { PROGRESS_QUERY, type CohortProgress } from '../../src/contracts/progress.js';
import type { CohortResult } from '../../src/contracts/results.js';
import { until } from '../support/gate.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { parentHistory } from '../support/temporal-history.js';
import { simulatedTime, timeSkippingServer } from '../support/temporal-servers.js';
import { simulate, simulatedStudies } from '../support/temporal-simulation.js';
import { TEST_QUEUE, runToEnd, withWorkers } from '../support/temporal-workers.js';

const server = await timeSkippingServer();

describe.skipIf(server === undefined)('a cohort with a start rate', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([simulatedTime(server!), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  it.each([
    // One at a time, the first at once: the last starts after 9 waits.
    ['a study every 20 seconds', 10, 3, 9 / 3, 60],
    // A second's worth at once: no more timers than seconds.
    ['ten studies a second', 100, 600, 9 / 60, 15],
  ])(
    'starts %s, however wide it is',
    async (_title, studies, startRate, minutes, mostTimers) => {
      await withWorkers(env, bundle, simulate(simulatedStudies(studies)), async () => {
        const workflowId = `rate-${startRate}`;
        const input = { cohort: '/sheet.csv', output: '/out', concurrency: 200, startRate };
        const { imaging } = await runToEnd<CohortResult>(env, 'imagingCohort', workflowId, input);
        expect(imaging).toMatchObject({ total: studies, done: studies });
        const handle = env.client.workflow.getHandle(workflowId);
        const parent = await parentHistory(handle);
        expect(parent.minutes).toBeGreaterThanOrEqual(minutes * 0.9);
        const events = (await handle.fetchHistory()).events ?? [];
        const timers = events.filter(({ timerStartedEventAttributes }) => timerStartedEventAttributes != null);
        expect(timers.length).toBeGreaterThan(0);
        expect(timers.length).toBeLessThanOrEqual(mostTimers);
      });
    },
    60_000,
  );

  it('goes on at once when the limit is lifted', async () => {
    await withWorkers(env, bundle, simulate(simulatedStudies(3)), async () => {
      const handle = await env.client.workflow.start('imagingCohort', {
        workflowId: 'lifted',
        taskQueue: TEST_QUEUE,
        args: [{ cohort: '/sheet.csv', output: '/out', startRate: 1 }],
      });
      // Nobody waits for its result yet: simulated time stands still.
      await until(async () => (await handle.query<CohortProgress, []>(PROGRESS_QUERY)).fanOut?.done === 1);
      await handle.executeUpdate<SteeringState, [number]>(CONTROL_UPDATES.setStartRate, { args: [0] });
      expect(((await handle.result()) as CohortResult).imaging).toMatchObject({ done: 3 });
      expect((await parentHistory(handle)).minutes).toBeLessThan(0.9);
    });
  }, 60_000);
});
