import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CohortResult } from '../../src/contracts/results.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { parentHistory } from '../support/temporal-history.js';
import { simulatedTime, timeSkippingServer } from '../support/temporal-servers.js';
import { simulate, simulatedStudies } from '../support/temporal-simulation.js';
import { runToEnd, withWorkers } from '../support/temporal-workers.js';

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
});
