import type { Client } from '@temporalio/client';
import { Command, Option } from 'commander';
import { createLocalServices } from '../../app/services.js';
import { dataConverter } from '../../app/data-converter.js';
import { connectClient, connectWorker } from '../../app/temporal.js';
import { isRunning } from '../../app/cohort-run.js';
import { loadConfig } from '../../config/load-config.js';
import { cpuQueue } from '../../contracts/queues.js';
import { createWorkers, runWorkers } from '../../workers/create-workers.js';
import { installRuntime } from '../../workers/runtime.js';
import { workflowBundle } from '../../workers/workflow-bundle.js';
import { wholeNumber } from '../options.js';
import { say } from '../output.js';

interface WorkerCommandOptions {
  readonly jobs?: number;
  readonly memoryPerJob?: number;
  readonly taskQueue?: string;
  readonly follow?: string;
}

const FOLLOW_MS = 2_000;

/** A server that does not answer for a moment is no reason to go; one that is gone for good is. */
const SERVER_GONE_MS = 15 * 60_000;

/** Calls `end` when the followed workflow has ended, or its server has not answered for long. */
function watchFollowed(client: Client, workflowId: string, end: () => void): NodeJS.Timeout {
  let answered = Date.now();
  return setInterval(() => {
    if (Date.now() - answered > SERVER_GONE_MS) end();
    isRunning(client, workflowId).then(
      (running) => {
        answered = Date.now();
        if (!running) end();
      },
      () => undefined,
    );
  }, FOLLOW_MS);
}

async function worker(options: WorkerCommandOptions): Promise<void> {
  const { jobs, memoryPerJob, taskQueue, follow } = options;
  const config = loadConfig(process.env, {
    ...(jobs === undefined ? {} : { jobs }),
    ...(memoryPerJob === undefined ? {} : { memoryPerJobMb: memoryPerJob }),
    ...(taskQueue === undefined ? {} : { taskQueue }),
  });
  installRuntime();
  const converter = dataConverter();
  const client = await connectClient({});
  const { connection, namespace } = await connectWorker({});
  const services = createLocalServices(config, client);
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  const watch = follow === undefined ? undefined : watchFollowed(client, follow, end);
  try {
    const workers = await createWorkers({
      connection,
      namespace,
      taskQueue: config.taskQueue,
      workflowBundle: await workflowBundle(config.cacheFolder, converter?.failureConverterPath),
      ...(converter === undefined ? {} : { dataConverter: converter }),
      quick: services.quick,
      heavy: services.heavy,
      jobs: config.jobs,
    });
    say(`worker ready on ${config.taskQueue} and ${cpuQueue(config.taskQueue)}, ${config.jobs} heavy steps at once`);
    await runWorkers(workers, stop.signal);
  } finally {
    clearInterval(watch);
    await services.close();
    await client.connection.close();
    await connection.close();
  }
}

export function workerCommand(): Command {
  return new Command('worker')
    .description(
      'Serve workflows and steps. The server is that of TEMPORAL_ADDRESS or of a Temporal profile (localhost:7233 otherwise).',
    )
    .option('--task-queue <name>', 'queue of the workflows (default: cohortflow); heavy steps use <name>-cpu')
    .option('--jobs <n>', 'heavy steps at once (default: the cores)', wholeNumber)
    .option('--memory-per-job <MB>', 'most memory of one heavy step', wholeNumber)
    .addOption(new Option('--follow <workflow id>', 'end when this workflow has ended').hideHelp())
    .action(worker);
}
