import {
  GracefulShutdownPeriodExpiredError,
  IllegalStateError,
  Worker,
  type InjectedSinks,
  type NativeConnection,
  type WorkerInterceptors,
  type WorkerOptions,
} from '@temporalio/worker';
import { WORKER_ROLES, type WorkerRole } from '../config/config.js';
import type { CohortActivities, StepActivities } from '../contracts/activities.js';
import { cpuQueue, remoteQueue } from '../contracts/queues.js';
import type { ServiceActivities } from '../contracts/service-activities.js';
import { CohortflowError } from '../domain/errors.js';
import type { TraceSinks } from '../observability/workflow-tracing.js';

/** What a worker process serves. */
export interface WorkerPlan {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly taskQueue: string;
  /** All of them when not given. */
  readonly roles?: readonly WorkerRole[];
  /** Needed by the role `orchestration` only. */
  readonly workflowBundle?: NonNullable<WorkerOptions['workflowBundle']>;
  readonly quick: CohortActivities;
  readonly heavy: StepActivities;
  /** Work of services; without it this process takes none, whatever its roles. */
  readonly remote?: ServiceActivities;
  /** Heavy steps at once. */
  readonly jobs: number;
  readonly workflowTasks?: number;
  readonly cachedWorkflows?: number;
  readonly fileActivities?: number;
  /** Work of services begun, waited for or ended at once; 500 when not given. */
  readonly remoteWork?: number;
  /** Seconds that running activities get to end once told to stop; 15 when not given. */
  readonly shutdownGrace?: number;
  /** Seconds after the grace until what does not end is abandoned; 20 when not given. */
  readonly forceAfterGrace?: number;
  /** Tests shorten it: the SDK delays heartbeats, and with them cancellations, by up to 0.8 of the time-out. */
  readonly heartbeatThrottleMs?: number;
  /** How payloads are written; the same as the clients' and the bundle's. */
  readonly dataConverter?: WorkerOptions['dataConverter'];
  /** Around every activity: metrics, logs, traces. */
  readonly interceptors?: Pick<WorkerInterceptors, 'activity'>;
  /** Where the spans of workflow runs go; nowhere when not given. */
  readonly sinks?: InjectedSinks<TraceSinks>;
}

/** Workflows tell how they ended, traced or not: one who listens must be there. */
const NO_TRACES: InjectedSinks<TraceSinks> = {
  cohortflowTrace: { ended: { fn: () => undefined, callDuringReplay: false } },
};

/** Just below the interval of waiting activities: what the SDK holds back for longer is heard later, and not billed less. */
const REMOTE_HEARTBEAT_THROTTLE_MS = 40_000;

const SHORT_GRACE = 15;

/** What a worker takes to let go of what it had to give up after the grace; with 90 s of grace all ends within 120 s. */
const FORCE_AFTER_GRACE = 20;

function fileActivities({ quick, fileActivities = 20 }: WorkerPlan): Partial<WorkerOptions> {
  return { activities: quick, maxConcurrentActivityTaskExecutions: fileActivities };
}

function workflows(plan: WorkerPlan): Partial<WorkerOptions> {
  const { workflowBundle, workflowTasks = 40, cachedWorkflows = 1000, sinks = NO_TRACES } = plan;
  if (workflowBundle === undefined) throw new CohortflowError('InternalError', 'no bundle for the workflows');
  return {
    workflowBundle,
    maxConcurrentWorkflowTaskExecutions: workflowTasks,
    maxCachedWorkflows: cachedWorkflows,
    sinks,
  };
}

/**
 * The queues that belong to a task queue: the queue itself for workflows (role `orchestration`) and the quick activities
 * over files (role `io`); one for heavy steps (role `cpu`), so that a page of units never waits behind a CT; and one for the
 * work of services (role `io`), which takes a slot for hours and nothing else.
 */
export type WorkerQueue = 'own' | 'cpu' | 'remote';

/** The queues that roles stand for. */
export function queuesOf(roles: readonly WorkerRole[]): readonly WorkerQueue[] {
  const own: readonly WorkerQueue[] = roles.includes('orchestration') || roles.includes('io') ? ['own'] : [];
  const remote: readonly WorkerQueue[] = roles.includes('io') ? ['remote'] : [];
  return [...own, ...remote, ...(roles.includes('cpu') ? (['cpu'] as const) : [])];
}

/**
 * The workers of one process, one a queue.
 *
 * @param queues those that the plan's roles stand for, when not given
 * @throws CohortflowError `InternalError` when workflows are to be served without a bundle
 */
export async function createWorkers(plan: WorkerPlan, queues?: readonly WorkerQueue[]): Promise<readonly Worker[]> {
  const { connection, namespace, taskQueue, jobs, heavy, roles = WORKER_ROLES, heartbeatThrottleMs } = plan;
  const { shutdownGrace = SHORT_GRACE, forceAfterGrace = FORCE_AFTER_GRACE, dataConverter, interceptors } = plan;
  const { remote, remoteWork = 500 } = plan;
  const common = {
    connection,
    namespace,
    shutdownGraceTime: `${shutdownGrace} seconds`,
    shutdownForceTime: `${shutdownGrace + forceAfterGrace} seconds`,
    maxHeartbeatThrottleInterval: heartbeatThrottleMs ?? 10_000,
    ...(dataConverter === undefined ? {} : { dataConverter }),
    ...(interceptors === undefined ? {} : { interceptors }),
  } as const;
  const served = queues ?? queuesOf(roles);
  const workers: Worker[] = [];
  if (served.includes('own')) {
    const parts = {
      ...(roles.includes('orchestration') ? workflows(plan) : {}),
      ...(roles.includes('io') ? fileActivities(plan) : {}),
    };
    workers.push(await Worker.create({ ...common, taskQueue, ...parts }));
  }
  if (served.includes('remote') && remote !== undefined) {
    const slots = { maxConcurrentActivityTaskExecutions: remoteWork };
    const maxHeartbeatThrottleInterval = heartbeatThrottleMs ?? REMOTE_HEARTBEAT_THROTTLE_MS;
    const options = { ...common, maxHeartbeatThrottleInterval, activities: remote, ...slots };
    workers.push(await Worker.create({ ...options, taskQueue: remoteQueue(taskQueue) }));
  }
  if (served.includes('cpu')) {
    const slots = { maxConcurrentActivityTaskExecutions: jobs };
    workers.push(await Worker.create({ ...common, taskQueue: cpuQueue(taskQueue), activities: heavy, ...slots }));
  }
  return workers;
}

/** The SDK's error of an expired shutdown is hidden by the one of taking down a worker that still has work. */
function isAbandonment(error: unknown): boolean {
  return error instanceof GracefulShutdownPeriodExpiredError || error instanceof IllegalStateError;
}

function abandoned(cause: unknown): CohortflowError {
  const message = 'some work did not end within the grace, nor when it was told to, and was abandoned';
  return new CohortflowError('WorkerShutdown', message, {}, cause);
}

/** What running needs of a worker. */
export type RunnableWorker = Pick<Worker, 'run' | 'shutdown' | 'getState'>;

/**
 * Runs all workers until `stop` is aborted or one of them fails; then shuts all of them down, and returns when all have
 * ended: before, they hold their connection.
 *
 * @throws CohortflowError `WorkerShutdown` when something still ran at the end of grace and force time: it is abandoned
 */
export async function runWorkers(workers: readonly RunnableWorker[], stop: AbortSignal): Promise<void> {
  const shutdown = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  stop.addEventListener('abort', shutdown, { once: true });
  const failures: unknown[] = [];
  try {
    const runs = workers.map(async (worker) => {
      try {
        await worker.run();
      } catch (error) {
        failures.push(stop.aborted && isAbandonment(error) ? abandoned(error) : error);
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
  if (failures.length > 0) throw failures[0];
}
