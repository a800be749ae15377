import type { Config } from '../config/config.js';

/**
 * What a host may say; everything else comes, as for `cohortflow worker`, from `cohortflow.yaml` and the environment, and
 * from the machine.
 */
export interface CohortflowPluginOptions extends Partial<
  Pick<Config, 'cacheFolder' | 'jobs' | 'memoryPerJobMb' | 'roles' | 'shutdownGrace'>
> {
  /** Only workers on this queue get our activities; those on others are left alone. When not given: every worker. */
  readonly taskQueue?: string;
  /** Registers our search attributes where the namespace lacks them; a worker only says so otherwise. */
  readonly registerSearchAttributes?: boolean;
}

/** Every option by its name: a misspelt one must not be taken for none. */
export const KNOWN: { readonly [K in keyof Required<CohortflowPluginOptions>]: true } = {
  jobs: true,
  memoryPerJobMb: true,
  cacheFolder: true,
  roles: true,
  shutdownGrace: true,
  taskQueue: true,
  registerSearchAttributes: true,
};
