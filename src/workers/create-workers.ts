import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import type { CohortActivities, StepActivities } from '../contracts/activities.js';
import { cpuQueue } from '../contracts/queues.js';

/** What a worker process serves. */
export interface WorkerPlan {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  readonly workflowBundle: NonNullable<WorkerOptions['workflowBundle']>;
  readonly quick: CohortActivities;
  readonly heavy: StepActivities;
  /** Heavy steps at once. */
  readonly jobs: number;
  /** Tests shorten it: the SDK delays heartbeats, and with them cancellations, by up to 0.8 of the time-out. */
  readonly heartbeatThrottleMs?: number;
  /** How payloads are written; the same as the clients' and the bundle's. */
  readonly dataConverter?: WorkerOptions['dataConverter'];
}

/** The time running steps get to end after SIGTERM before they are given up; ECS allows 120 s at most. */
const SHUTDOWN_GRACE = '15 seconds';

/**
 * The two workers of one process: workflows with their quick activities, and heavy steps, on queues of their own so that a
 * page of units never waits behind a CT.
 */
export async function createWorkers(plan: WorkerPlan): Promise<readonly Worker[]> {
  const { connection, namespace, taskQueue, workflowBundle, jobs, heartbeatThrottleMs, dataConverter } = plan;
  const common = {
    connection,
    namespace,
    shutdownGraceTime: SHUTDOWN_GRACE,
    maxHeartbeatThrottleInterval: heartbeatThrottleMs ?? 10_000,
    ...(dataConverter === undefined ? {} : { dataConverter }),
  } as const;
  const orchestration = await Worker.create({
    ...common,
    taskQueue,
    workflowBundle,
    activities: plan.quick,
    maxConcurrentActivityTaskExecutions: 20,
    maxCachedWorkflows: 1000,
  });
  const cpu = await Worker.create({
    ...common,
    taskQueue: cpuQueue(taskQueue),
    activities: plan.heavy,
    maxConcurrentActivityTaskExecutions: jobs,
  });
  return [orchestration, cpu];
}

/** Runs all workers until `stop` is aborted or one of them fails; then shuts all of them down. */
export async function runWorkers(workers: readonly Worker[], stop: AbortSignal): Promise<void> {
  const shutdown = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  stop.addEventListener('abort', shutdown, { once: true });
  try {
    const runs = workers.map(async (worker) => {
      try {
        await worker.run();
      } finally {
        shutdown();
      }
    });
    // Told to end while they were made: a worker must have run to let go of its connection.
    if (stop.aborted) shutdown();
    await Promise.all(runs);
  } finally {
    stop.removeEventListener('abort', shutdown);
  }
}
