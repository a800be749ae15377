import { Runtime, type Worker } from '@temporalio/worker';
import type { Client } from '@temporalio/client';
import type { Logger } from '@temporalio/common';
import { isOver } from '../app/cohort-run.js';
import { dataConverter } from '../app/data-converter.js';
import { packageVersion } from '../app/package-root.js';
import { createLocalServices, type LocalServices } from '../app/services.js';
import { connectClient, connectWorker } from '../app/temporal.js';
import type { Config } from '../config/config.js';
import { activityInterceptor } from '../observability/activity-interceptor.js';
import { createMetrics } from '../observability/metrics.js';
import type { Tracing } from '../observability/tracing.js';
import { wantsTracing } from '../observability/wants-tracing.js';
import { checkSearchAttributes } from './check-search-attributes.js';
import { createWorkers, runWorkers } from './create-workers.js';
import { startHealthServer } from './health-server.js';
import { ifFree } from './listen.js';
import { installRuntime } from './runtime.js';
import { Stopping } from './stopping.js';
import { workflowBundle } from './workflow-bundle.js';

/** What a worker process is asked to do besides its settings. */
export interface ServeOptions {
  readonly config: Config;
  /** A workflow to end with: the worker of one run. */
  readonly follow?: string;
  readonly registerSearchAttributes: boolean;
}

const FOLLOW_MS = 2_000;

/** A server that does not answer for a moment is no reason to go; one that is gone for good is. */
const SERVER_GONE_MS = 15 * 60_000;

/** A run's own worker has nothing of its own left when the run has ended, and somebody waits. */
const FOLLOWER_GRACE = 15;

/** Calls `end` when the followed workflow and all below it have ended, or its server has not answered for long. */
function watchFollowed(client: Client, workflowId: string, end: () => void): NodeJS.Timeout {
  let answered = Date.now();
  return setInterval(() => {
    if (Date.now() - answered > SERVER_GONE_MS) end();
    isOver(client, workflowId).then(
      (over) => {
        answered = Date.now();
        if (over) end();
      },
      () => undefined,
    );
  }, FOLLOW_MS);
}

/** A run's worker: ends soon, and leaves ports that another worker of this machine has to that one. */
async function forFollower(config: Config): Promise<Config> {
  const [healthPort, metricsPort] = await Promise.all([ifFree(config.healthPort), ifFree(config.metricsPort)]);
  return { ...config, healthPort, metricsPort, shutdownGrace: Math.min(config.shutdownGrace, FOLLOWER_GRACE) };
}

/** The stages of ending, and what stands for them in the log. */
function stopInStages(config: Config, services: LocalServices, stop: AbortController, log: Logger): Stopping {
  return new Stopping({
    begin: () => {
      log.info(`worker stops: no new work, what runs gets ${config.shutdownGrace} s`);
      stop.abort();
    },
    giveBack: () => {
      log.warn('told again: what runs is given back now');
      void services.close();
    },
    leave: () => process.exit(1),
  });
}

/** OpenTelemetry is loaded by those who use it only. */
async function tracingIfWanted(): Promise<Tracing | undefined> {
  if (!wantsTracing()) return undefined;
  const { createTracing } = await import('../observability/tracing.js');
  return createTracing(packageVersion());
}

function describeSlots({ roles, taskQueue, jobs, workflowTasks, fileActivities }: Config): string {
  const slots = {
    orchestration: `${workflowTasks} workflow tasks`,
    io: `${fileActivities} activities over files`,
    cpu: `${jobs} heavy steps`,
  };
  return `worker ready on ${taskQueue} as ${roles.map((role) => `${role} (${slots[role]} at once)`).join(', ')}`;
}

/**
 * Serves the queues of `config` until it is told to end: by SIGTERM or SIGINT, or because the workflow it follows has ended.
 * The first signal lets what runs finish within the grace, the second gives it back at once, the third leaves.
 *
 * @throws CohortflowError `WorkerShutdown` when work had to be abandoned after the grace; `ServerUnavailable`;
 *   `InvalidInput` for a port that is taken
 */
export async function serve({ config: given, follow, registerSearchAttributes }: ServeOptions): Promise<void> {
  const config = follow === undefined ? given : await forFollower(given);
  installRuntime(config);
  const { logger: log, metricMeter } = Runtime.instance();
  const converter = dataConverter();
  const workers: Worker[] = [];
  const { healthPort: listen } = config;
  const health = listen === 'off' ? undefined : await startHealthServer({ listen, workers: () => workers });
  try {
    const client = await connectClient({});
    const { connection, namespace } = await connectWorker({});
    const metrics = createMetrics(metricMeter);
    const tracing = await tracingIfWanted();
    const services = createLocalServices(config, client, metrics);
    const stop = new AbortController();
    const stopping = stopInStages(config, services, stop, log);
    const watch = follow === undefined ? undefined : watchFollowed(client, follow, () => stopping.begin());
    try {
      await checkSearchAttributes(client, registerSearchAttributes, log);
      const bundle = config.roles.includes('orchestration')
        ? { workflowBundle: await workflowBundle(config.cacheFolder, converter?.failureConverterPath) }
        : {};
      const made = await createWorkers({
        ...{ connection, namespace, ...bundle, ...services },
        ...config,
        ...(converter === undefined ? {} : { dataConverter: converter }),
        interceptors: {
          activity: [...(tracing === undefined ? [] : [tracing.activity]), activityInterceptor(metrics)],
        },
        ...(tracing === undefined ? {} : { sinks: tracing.sinks }),
      });
      workers.push(...made);
      log.info(describeSlots(config));
      await runWorkers(workers, stop.signal);
      log.info('worker stopped');
    } finally {
      clearInterval(watch);
      await services.close();
      await tracing?.close().catch((error: unknown) => void log.warn('the last spans could not be sent', { error }));
      stopping.close();
      await client.connection.close();
      // What was abandoned may hold it still: why serving ended matters more.
      await connection.close().catch(() => undefined);
    }
  } finally {
    await health?.close();
  }
}
