import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { createWorkers, runWorkers, type WorkerPlan } from '../../src/workers/create-workers.js';
import { firstTaskDone } from './temporal-history.js';
import type { Simulation } from './temporal-simulation.js';

export const TEST_QUEUE = 'cohortflow-test';

/**
 * Starts this file's workers on {@link TEST_QUEUE}; returns what stops them. Fails when they end by themselves.
 *
 * @param options a connection of their own, beside workers of another version: the SDK allows one of a kind on a connection
 */
export async function startWorkers(
  env: TestWorkflowEnvironment,
  workflowBundle: WorkflowBundle,
  activities: Pick<WorkerPlan, 'quick' | 'heavy' | 'remote'>,
  options: Partial<Pick<WorkerPlan, 'connection' | 'cachedWorkflows'>> = {},
): Promise<() => Promise<void>> {
  const workers = await createWorkers({
    connection: env.nativeConnection,
    namespace: env.namespace ?? 'default',
    taskQueue: TEST_QUEUE,
    workflowBundle,
    ...activities,
    jobs: 50,
    heartbeatThrottleMs: 100,
    ...options,
  });
  const stop = new AbortController();
  const running = runWorkers(workers, stop.signal);
  await warmUp(env);
  return async () => {
    stop.abort();
    await running;
  };
}

/** Runs `body` while this file's workers serve {@link TEST_QUEUE}, and stops them afterwards. */
export async function withWorkers<T>(
  env: TestWorkflowEnvironment,
  workflowBundle: WorkflowBundle,
  simulation: Simulation,
  body: () => Promise<T>,
): Promise<T> {
  const stop = await startWorkers(env, workflowBundle, { quick: simulation, heavy: simulation, remote: simulation });
  try {
    return await body();
  } finally {
    await stop();
  }
}

/** The server also skips while a workflow task runs: with a cold worker the first workflow's clock jumps ten years. */
async function warmUp(env: TestWorkflowEnvironment): Promise<void> {
  const workflowId = `warm-up-${crypto.randomUUID()}`;
  const handle = await env.client.workflow.start('imagingCohort', { workflowId, taskQueue: TEST_QUEUE, args: [{}] });
  await firstTaskDone(handle);
}

/** Starts a cohort, waits for its first task in real time, then lets simulated time run until its result is there. */
export async function runToEnd<R>(
  env: TestWorkflowEnvironment,
  type: string,
  workflowId: string,
  input: unknown,
): Promise<R> {
  const handle = await env.client.workflow.start(type, { workflowId, taskQueue: TEST_QUEUE, args: [input] });
  await firstTaskDone(handle);
  return (await handle.result()) as R;
}
