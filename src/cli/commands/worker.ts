import { Command, InvalidArgumentError, Option } from 'commander';
import { WORKER_ROLES, type Config, type WorkerRole } from '../../config/config.js';
import { loadConfig } from '../../config/load-config.js';
import { serve } from '../../workers/serve.js';
import { wholeNumber } from '../options.js';
import { reportFailure } from '../output.js';

interface WorkerCommandOptions {
  readonly role?: readonly WorkerRole[];
  readonly jobs?: number;
  readonly memoryPerJob?: number;
  readonly taskQueue?: string;
  readonly maxWorkflowTasks?: number;
  readonly maxCachedWorkflows?: number;
  readonly maxFileActivities?: number;
  readonly shutdownGrace?: number;
  readonly healthPort?: string;
  readonly metricsPort?: string;
  readonly registerSearchAttributes?: boolean;
  readonly follow?: string;
}

const LAST_MS = 500;

/** `--role io --role cpu`, or `--role io,cpu`. */
function roles(text: string, before: readonly WorkerRole[] = []): readonly WorkerRole[] {
  const named = text.split(',').flatMap((name) => (name === 'all' ? [...WORKER_ROLES] : [name]));
  const known = WORKER_ROLES.filter((role) => named.includes(role));
  if (named.some((name) => !WORKER_ROLES.some((role) => role === name))) {
    throw new InvalidArgumentError(`all, or some of ${WORKER_ROLES.join(', ')} is wanted.`);
  }
  return [...new Set([...before, ...known])];
}

/** The settings that a flag was given for. */
function flags(options: WorkerCommandOptions): Partial<Config> {
  const given = {
    roles: options.role,
    jobs: options.jobs,
    memoryPerJobMb: options.memoryPerJob,
    taskQueue: options.taskQueue,
    workflowTasks: options.maxWorkflowTasks,
    cachedWorkflows: options.maxCachedWorkflows,
    fileActivities: options.maxFileActivities,
    shutdownGrace: options.shutdownGrace,
    healthPort: options.healthPort,
    metricsPort: options.metricsPort,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

async function worker(options: WorkerCommandOptions): Promise<void> {
  const { follow, registerSearchAttributes = false } = options;
  const config = loadConfig(process.env, flags(options));
  try {
    await serve({ config, registerSearchAttributes, ...(follow === undefined ? {} : { follow }) });
  } catch (error) {
    process.exitCode = reportFailure(error, false);
    // Work that was abandoned would keep the process; this long for what is still to be printed.
    setTimeout(() => process.exit(), LAST_MS);
  }
}

export function workerCommand(): Command {
  return new Command('worker')
    .description(
      'Serve workflows and steps. The server is that of TEMPORAL_ADDRESS or of a Temporal profile (localhost:7233 otherwise).',
    )
    .option('--task-queue <name>', 'queue of the workflows (default: cohortflow); heavy steps use <name>-cpu')
    .option('--role <roles>', 'orchestration, io, cpu, or all of them (default); a list, or given several times', roles)
    .option('--jobs <n>', 'heavy steps at once (default: the cores, each with at least 1 GB)', wholeNumber)
    .option('--memory-per-job <MB>', 'most memory of one heavy step', wholeNumber)
    .option('--max-workflow-tasks <n>', 'workflow tasks at once (default: 40)', wholeNumber)
    .option(
      '--max-cached-workflows <n>',
      'workflows kept in memory (default: from the heap, at most 1000)',
      wholeNumber,
    )
    .option('--max-file-activities <n>', 'activities over the files of cohorts at once (default: 20)', wholeNumber)
    .option('--shutdown-grace <seconds>', 'what running steps get to end after SIGTERM (default: 90)', wholeNumber)
    .option('--health-port <[host:]port>', 'serve /healthz and /readyz (default: off)')
    .option('--metrics-port <[host:]port>', 'serve /metrics for Prometheus (default: off)')
    .option('--register-search-attributes', 'register the search attributes that the server lacks')
    .addOption(new Option('--follow <workflow id>', 'end when this workflow has ended').hideHelp())
    .action(worker);
}
