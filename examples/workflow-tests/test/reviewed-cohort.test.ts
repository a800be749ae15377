import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import {
  failing,
  imagingUnits,
  lasting,
  mockActivities,
  perCase,
  resultInSimulatedTime,
  withMockWorkers,
  type StepBehaviour,
} from 'cohortflow/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { approve, type reviewedCohort } from '../src/workflows.js';

const MINUTE = 60_000;
const taskQueue = 'tests';

let env: TestWorkflowEnvironment;
let workflowBundle: WorkflowBundleWithSourceMap;

beforeAll(async () => {
  // Downloaded when not given.
  const path = process.env['TEMPORAL_TEST_SERVER'];
  const server = path === undefined ? {} : { server: { executable: { type: 'existing-path' as const, path } } };
  [env, workflowBundle] = await Promise.all([
    TestWorkflowEnvironment.createTimeSkipping(server),
    bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL('../src/workflows.ts', import.meta.url)) }),
  ]);
}, 120_000);

afterAll(() => env?.teardown());

/** Runs our workflow over twenty mocked studies, and tells what was asked of the outside world. */
async function review(workflowId: string, behave: StepBehaviour, approves = false) {
  const mocks = mockActivities({ units: imagingUnits(20), behave });
  const asked: number[] = [];
  const activities = { askForReview: async (failed: number) => void asked.push(failed) };
  return withMockWorkers({ env, taskQueue, workflowBundle, mocks, activities }, async () => {
    const began = await env.currentTimeMs();
    const handle = await env.client.workflow.start<typeof reviewedCohort>('reviewedCohort', {
      ...{ workflowId, taskQueue },
      args: [{ cohort: '/data/cohort.csv', output: `/data/${workflowId}`, mostFailed: 1 }],
    });
    if (approves) await handle.signal(approve);
    const answer = await resultInSimulatedTime(handle);
    const minutes = ((await env.currentTimeMs()) - began) / MINUTE;
    return { answer, asked, mocks, minutes };
  });
}

it('needs no review when all studies are done, however long they take', async () => {
  const { answer, asked, mocks, minutes } = await review('all-done', lasting(30 * MINUTE));
  expect(answer).toBe('not needed');
  expect(asked).toEqual([]);
  expect(mocks.records).toEqual([]);
  expect(mocks.closed).toEqual(['finished']);
  // Side by side, not one after the other.
  expect(minutes).toBeGreaterThanOrEqual(30);
  expect(minutes).toBeLessThan(300);
}, 120_000);

it('asks for a review of what failed, and waits for a week at most', async () => {
  const behave = perCase({ 'S-3': failing('SegNotFound'), 'S-7': failing('MissingSlice') });
  const { answer, asked, mocks, minutes } = await review('two-failed', behave);
  expect(answer).toBe('nobody answered');
  expect(asked).toEqual([2]);
  expect(mocks.records.map(({ caseId, code }) => `${caseId} ${code}`).sort()).toEqual([
    'S-3 SegNotFound',
    'S-7 MissingSlice',
  ]);
  expect(minutes).toBeGreaterThanOrEqual(7 * 24 * 60);
}, 120_000);

it('does not count a study that only needed a second attempt', async () => {
  const behave = perCase({ 'S-3': failing('ProcessLost', { attempts: 2 }), 'S-7': failing('SegNotFound') });
  const { answer, mocks } = await review('tried-again', behave);
  expect(answer).toBe('not needed');
  const attempts = mocks.steps.filter(({ caseId, step }) => caseId === 'S-3' && step === 'imaging.convert');
  expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
}, 120_000);

it('goes on when someone approves', async () => {
  const { answer } = await review('approved', failing('SegNotFound'), true);
  expect(answer).toBe('approved');
}, 120_000);
