import type { AwsSettings } from './aws-settings.js';

/** The kinds of work that a worker process may take. */
export const WORKER_ROLES = ['orchestration', 'io', 'cpu'] as const;
export type WorkerRole = (typeof WORKER_ROLES)[number];

export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where something listens: `off`, or `<host>:<port>`. */
export type Listen = 'off' | `${string}:${number}`;

/**
 * Settings of this installation: where things are kept and how much the machine may do. What a run computes (its cohort,
 * its settings file) is the run's input and never comes from here, so that a run can be repeated elsewhere.
 */
export interface Config {
  /** The embedded server's database and log, workers' logs. */
  readonly stateFolder: string;
  /** Things that can be made again: programs, transcript indexes, bundles. */
  readonly cacheFolder: string;
  /** Heavy steps at once on this machine. */
  readonly jobs: number;
  /** Memory one heavy step may use, in MB. */
  readonly memoryPerJobMb: number;
  /** The Temporal task queue of the workflows; heavy work goes to `<taskQueue>-cpu`. */
  readonly taskQueue: string;
  /** What a worker takes. */
  readonly roles: readonly WorkerRole[];
  /** Workflow tasks at once. */
  readonly workflowTasks: number;
  /** Workflows kept in memory between their tasks. */
  readonly cachedWorkflows: number;
  /** Activities over the files of cohorts at once. */
  readonly fileActivities: number;
  /** Seconds that running work gets to end after SIGTERM. */
  readonly shutdownGrace: number;
  readonly healthPort: Listen;
  readonly metricsPort: Listen;
  readonly logLevel: LogLevel;
  /** Submitted work waited for at once: waiting costs a worker next to nothing. */
  readonly remoteWork: number;
  /** The AWS account, where one is used. */
  readonly aws: AwsSettings;
}

/** One setting: how it is written in a file and in the environment, and what it must be. */
interface Setting {
  readonly environment: string;
  readonly kind: 'folder' | 'text' | 'count' | 'roles' | 'listen' | 'level' | 'aws';
  readonly about: string;
}

/** Every setting by its key in the file. Docs and the error for an unknown key are made from this table. */
export const SETTINGS: { readonly [K in keyof Config]: Setting } = {
  stateFolder: { environment: 'COHORTFLOW_STATE', kind: 'folder', about: 'folder of the embedded server and of logs' },
  cacheFolder: { environment: 'COHORTFLOW_CACHE', kind: 'folder', about: 'folder of programs and indexes' },
  jobs: { environment: 'COHORTFLOW_JOBS', kind: 'count', about: 'heavy steps at once' },
  memoryPerJobMb: { environment: 'COHORTFLOW_MEMORY_PER_JOB', kind: 'count', about: 'memory of one heavy step, MB' },
  taskQueue: { environment: 'COHORTFLOW_TASK_QUEUE', kind: 'text', about: 'Temporal task queue' },
  roles: { environment: 'COHORTFLOW_ROLES', kind: 'roles', about: 'what a worker takes' },
  workflowTasks: { environment: 'COHORTFLOW_WORKFLOW_TASKS', kind: 'count', about: 'workflow tasks at once' },
  cachedWorkflows: { environment: 'COHORTFLOW_CACHED_WORKFLOWS', kind: 'count', about: 'workflows kept in memory' },
  fileActivities: { environment: 'COHORTFLOW_FILE_ACTIVITIES', kind: 'count', about: 'activities over files at once' },
  shutdownGrace: { environment: 'COHORTFLOW_SHUTDOWN_GRACE', kind: 'count', about: 'seconds to end after SIGTERM' },
  healthPort: { environment: 'COHORTFLOW_HEALTH_PORT', kind: 'listen', about: 'where health is served' },
  metricsPort: { environment: 'COHORTFLOW_METRICS_PORT', kind: 'listen', about: 'where metrics are served' },
  logLevel: { environment: 'COHORTFLOW_LOG_LEVEL', kind: 'level', about: 'least level that a worker logs' },
  remoteWork: { environment: 'COHORTFLOW_REMOTE_WORK', kind: 'count', about: 'jobs of services waited for at once' },
  aws: { environment: 'COHORTFLOW_AWS', kind: 'aws', about: 'the AWS account, a mapping (docs/aws.md)' },
};
