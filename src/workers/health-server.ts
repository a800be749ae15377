import { createServer } from 'node:http';
import type { Worker } from '@temporalio/worker';
import type { Listen } from '../config/config.js';
import { CohortflowError, messageOf } from '../domain/errors.js';
import { listenAt } from './listen.js';

/** What health needs of a worker. */
export type WatchedWorker = Pick<Worker, 'getState' | 'getStatus'> & {
  readonly options: Pick<
    Worker['options'],
    'taskQueue' | 'maxCachedWorkflows' | 'tuner' | 'activities' | 'workflowBundle'
  >;
};

export interface HealthOptions {
  readonly listen: Listen;
  readonly workers: () => readonly WatchedWorker[];
  /** An event loop that is late by this much serves nobody: heartbeats are late too. */
  readonly mostLagMs?: number;
}

const LAG_EVERY_MS = 500;
const MOST_LAG_MS = 5_000;

/** How late this process's event loop is. */
class LoopLag {
  private lag = 0;
  private due = performance.now() + LAG_EVERY_MS;
  private readonly timer = setInterval(() => {
    const now = performance.now();
    this.lag = Math.max(0, now - this.due);
    this.due = now + LAG_EVERY_MS;
  }, LAG_EVERY_MS);

  constructor() {
    this.timer.unref();
  }

  /** Milliseconds: of the last beat, or of the one that has not come yet. */
  now(): number {
    return Math.round(Math.max(this.lag, performance.now() - this.due));
  }

  close(): void {
    clearInterval(this.timer);
  }
}

type Tuner = Worker['options']['tuner'];

/** Most activities or workflow tasks at once; undefined where the worker has none of that kind. */
function slotsOf(supplier: Tuner['activityTaskSlotSupplier']): number | undefined {
  return supplier.type === 'fixed-size' ? supplier.numSlots : undefined;
}

/** Ids of machines and counts; nothing of what is worked on. */
function workerState(worker: WatchedWorker): Record<string, unknown> {
  const { taskQueue, tuner, maxCachedWorkflows, activities, workflowBundle } = worker.options;
  const status = worker.getStatus();
  const { numInFlightActivities, numInFlightWorkflowActivations, numCachedWorkflows } = status;
  return {
    queue: taskQueue,
    state: worker.getState(),
    ...(activities.size > 0
      ? { activities: { running: numInFlightActivities, slots: slotsOf(tuner.activityTaskSlotSupplier) } }
      : {}),
    ...(workflowBundle !== undefined
      ? {
          workflowTasks: { running: numInFlightWorkflowActivations, slots: slotsOf(tuner.workflowTaskSlotSupplier) },
          workflows: { cached: numCachedWorkflows, slots: maxCachedWorkflows },
        }
      : {}),
  };
}

/** Health of a worker process over HTTP. */
export interface HealthServer {
  /** `host:port` it listens on. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Serves `GET /healthz` (200 while the event loop turns, else 503: restart the process) and `GET /readyz` (200 while every
 * worker takes work, 503 before and while it drains), both with a JSON document of states and slots.
 *
 * @throws CohortflowError `InvalidInput` when nothing can listen there
 */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const { workers, mostLagMs = MOST_LAG_MS } = options;
  const lag = new LoopLag();
  const server = createServer((request, response) => {
    const lagMs = lag.now();
    const watched = workers();
    const path = request.url?.split('?', 1)[0];
    const checks: Record<string, boolean> = {
      '/healthz': lagMs < mostLagMs,
      '/readyz': watched.length > 0 && watched.every((worker) => worker.getState() === 'RUNNING'),
    };
    const good = path === undefined ? undefined : checks[path];
    if (request.method !== 'GET' || good === undefined) {
      response.writeHead(404).end();
      return;
    }
    const document = { status: good ? 'ok' : 'unavailable', eventLoopLagMs: lagMs, workers: watched.map(workerState) };
    response.writeHead(good ? 200 : 503, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(`${JSON.stringify(document)}\n`);
  });
  const { listen } = options;
  const address = await listenAt(server, listen).catch((error: unknown) => {
    lag.close();
    throw new CohortflowError('InvalidInput', `health cannot be served at ${listen}: ${messageOf(error)}`, {}, error);
  });
  // A server that is asked for health must not keep a process that has ended its work.
  server.unref();
  return {
    address,
    close: async () => {
      lag.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
