import { ApplicationFailure } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CohortResult } from '../../src/contracts/results.js';
import { NO_UNITS } from '../../src/contracts/outcome.js';
import { PROGRESS_QUERY, type CohortProgress } from '../../src/contracts/progress.js';
import { laneWorkflowId } from '../../src/contracts/workflow-ids.js';
import { fairShares } from '../../src/contracts/pools.js';
import { laneCount } from '../../src/workflows/lanes.js';
import { idealMakespan, logNormalTimes } from '../support/makespan.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { parentHistory } from '../support/temporal-history.js';
import { simulatedTime, timeSkippingServer } from '../support/temporal-servers.js';
import { indexOf, lasting, simulate, simulatedStudies } from '../support/temporal-simulation.js';
import { TEST_QUEUE, runToEnd, withWorkers } from '../support/temporal-workers.js';

const server = await timeSkippingServer();
const STUDIES = 423;
const WIDTH = 30;
const MINUTE = 60_000;
const FAILING = 5;

describe.skipIf(server === undefined)('a cohort of more studies than one workflow should run', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([simulatedTime(server!), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  it('runs in lanes: every study once, never more than the width, about as soon as a single pool would', async () => {
    const times = logNormalTimes(STUDIES, 5 * MINUTE, 3);
    const work = lasting((index) => times[index]!);
    let inFlight = 0;
    let most = 0;
    const simulation = simulate(simulatedStudies(STUDIES), async (request, attempt) => {
      if (request.unit === undefined) return;
      if (request.step === 'imaging.convert' && attempt === 1) most = Math.max(most, (inFlight += 1));
      if (request.step === 'imaging.overlay') inFlight -= 1;
      if (request.step === 'imaging.overlay' && indexOf(request) % 100 === 7) {
        throw ApplicationFailure.nonRetryable('no picture', 'IoError');
      }
      await work(request, attempt);
    });
    await withWorkers(env, bundle, simulation, async () => {
      const input = { cohort: '/sheet.csv', output: '/out', concurrency: WIDTH };
      const { imaging } = await runToEnd<CohortResult>(env, 'imagingCohort', 'large', input);
      expect(imaging).toEqual({ total: STUDIES, done: STUDIES - FAILING, reused: 0, failed: FAILING, cancelled: 0 });
      const started = simulation.steps.filter(({ step, attempt }) => step === 'imaging.convert' && attempt === 1);
      expect(new Set(started.map(({ caseId }) => caseId)).size).toBe(STUDIES);
      expect(started.length).toBe(STUDIES);
      expect(most).toBeLessThanOrEqual(WIDTH);
      expect(most).toBeGreaterThan(WIDTH / 2);
      const root = await parentHistory(env.client.workflow.getHandle('large'));
      expect(root.children).toBe(laneCount(STUDIES, WIDTH));
      expect(root.children).toBeGreaterThan(1);
      expect(root.minutes / (idealMakespan(times, WIDTH) / MINUTE)).toBeLessThanOrEqual(1.05);
      // A lane's events, and those of telling the others that its share is theirs now.
      expect(root.events).toBeLessThan(300);
      const lane = await parentHistory(env.client.workflow.getHandle(laneWorkflowId('large', 0)));
      expect(lane.events).toBeLessThan(4_000);
    });
  }, 180_000);

  it.each([
    [401, 50, 2],
    [1_000, 50, 3],
    [1_000_000, 50, 10],
    [500, 500, 10],
    [5_000, 3, 10],
    [1_000, 1, 3],
  ])('are as few as bounds allow: %i studies at %i in %i lanes, whose widths sum up', (total, width, lanes) => {
    expect(laneCount(total, width)).toBe(lanes);
    const size = Math.ceil(total / lanes);
    const widths = fairShares(
      width,
      Array.from({ length: lanes }, () => size),
    );
    expect(widths).toHaveLength(lanes);
    expect(widths.reduce((sum, one) => sum + one, 0)).toBe(width);
  });

  it('continues each lane as new before its history grows: nothing lost, nothing twice, counts carried along', async () => {
    const simulation = simulate(simulatedStudies(50), (request) => {
      if (request.step === 'imaging.convert' && indexOf(request) % 12 === 1) {
        throw ApplicationFailure.nonRetryable('no segmentation', 'SegNotFound');
      }
    });
    await withWorkers(env, bundle, simulation, async () => {
      // Every second study from the second on: 1, 3, … 49.
      const fanOut = {
        modality: 'imaging',
        cohortId: 'c',
        output: '/out',
        runId: 'r',
        total: 50,
        childInput: { output: '/out' },
        pauseAfter: 5,
        pooled: false,
        searchAttributes: false,
      };
      const steering = { paused: false, width: 3, startRate: 0 };
      const slice = { round: 0, first: 1, stride: 2, at: 0, counts: { ...NO_UNITS, total: 25 }, steering };
      const args = [{ fanOut, slice, limit: 6 }];
      const handle = await env.client.workflow.start('cohortLane', { workflowId: 'lane', taskQueue: TEST_QUEUE, args });
      expect(await handle.result()).toEqual({ total: 25, done: 20, reused: 0, failed: 5, cancelled: 0 });
      const started = simulation.steps.filter(({ step }) => step === 'imaging.convert').map(({ caseId }) => caseId);
      expect(started.sort()).toEqual(Array.from({ length: 25 }, (_, index) => `S-${2 * index + 1}`).sort());
      const last = env.client.workflow.getHandle('lane');
      // 25 studies in runs of 6: the fifth and last run had one.
      expect((await parentHistory(last)).children).toBe(1);
      expect((await last.query<CohortProgress>(PROGRESS_QUERY)).fanOut).toMatchObject({
        done: 20,
        failed: 5,
        running: 0,
      });
    });
  }, 60_000);
});
