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
}

/** One setting: how it is written in a file and in the environment, and what it must be. */
interface Setting {
  readonly environment: string;
  readonly kind: 'text' | 'count';
  readonly about: string;
}

/** Every setting by its key in the file. Docs and the error for an unknown key are made from this table. */
export const SETTINGS: { readonly [K in keyof Config]: Setting } = {
  stateFolder: { environment: 'COHORTFLOW_STATE', kind: 'text', about: 'folder of the embedded server and of logs' },
  cacheFolder: { environment: 'COHORTFLOW_CACHE', kind: 'text', about: 'folder of programs and indexes' },
  jobs: { environment: 'COHORTFLOW_JOBS', kind: 'count', about: 'heavy steps at once' },
  memoryPerJobMb: { environment: 'COHORTFLOW_MEMORY_PER_JOB', kind: 'count', about: 'memory of one heavy step, MB' },
  taskQueue: { environment: 'COHORTFLOW_TASK_QUEUE', kind: 'text', about: 'Temporal task queue' },
};
