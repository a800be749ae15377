import { ApplicationFailure } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CohortResult } from '../../src/contracts/results.js';
import { NO_UNITS } from '../../src/contracts/outcome.js';
import { PROGRESS_QUERY, type CohortProgress } from '../../src/contracts/progress.js';
import { laneWorkflowId } from '../../src/contracts/workflow-ids.js';
import { sourceBundle } from '../support/temporal-bundle.js';
import { parentHistory } from '../support/temporal-history.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { indexOf, simulate, simulatedStudies } from '../support/temporal-simulation.js';
import { TEST_QUEUE, withWorkers } from '../support/temporal-workers.js';

const server = await temporalCli();
const STUDIES = 423;
const WIDTH = 23;
const FAILING = 5;

describe.skipIf(server === undefined)('a cohort of more studies than one workflow should run', () => {
  let env: TestWorkflowEnvironment;
  let bundle: WorkflowBundle;

  beforeAll(async () => {
    [env, bundle] = await Promise.all([realTime(server!), sourceBundle()]);
  });

  afterAll(async () => {
    await env?.teardown();
  });

  it('runs in lanes: every study once, never more than the width, a short history of the root', async () => {
    let inFlight = 0;
    let most = 0;
    const simulation = simulate(simulatedStudies(STUDIES), (request) => {
      if (request.unit === undefined) return;
      if (request.step === 'imaging.convert') most = Math.max(most, (inFlight += 1));
      if (request.step === 'imaging.overlay') inFlight -= 1;
      if (request.step === 'imaging.overlay' && indexOf(request) % 100 === 7) {
        throw ApplicationFailure.nonRetryable('no picture', 'IoError');
      }
    });
    await withWorkers(env, bundle, simulation, async () => {
      const input = { cohort: '/sheet.csv', output: '/out', concurrency: WIDTH };
      const args = { workflowId: 'large', taskQueue: TEST_QUEUE, args: [input] };
      const result = (await env.client.workflow.execute('imagingCohort', args)) as CohortResult;
      expect(result.imaging).toEqual({
        total: STUDIES,
        done: STUDIES - FAILING,
        reused: 0,
        failed: FAILING,
        cancelled: 0,
      });
      const started = simulation.steps.filter(({ step }) => step === 'imaging.convert').map(({ caseId }) => caseId);
      expect(new Set(started).size).toBe(STUDIES);
      expect(started.length).toBe(STUDIES);
      expect(most).toBeLessThanOrEqual(WIDTH);
      expect(most).toBeGreaterThan(WIDTH / 2);
      const root = await parentHistory(env.client.workflow.getHandle('large'));
      expect(root.children).toBe(10);
      // A lane's events, and those of telling the others that its share is theirs now.
      expect(root.events).toBeLessThan(300);
      const lane = await parentHistory(env.client.workflow.getHandle(laneWorkflowId('large', 0)));
      expect(lane.events).toBeLessThan(4_000);
    });
  }, 180_000);

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
      };
      const slice = { first: 1, stride: 2, started: 0, counts: { ...NO_UNITS, total: 25 }, width: 3 };
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
