import { readFile } from 'node:fs/promises';
import type { BundleOptions, WorkerOptions } from '@temporalio/worker';
import type { Logger } from '@temporalio/common';
import { CohortflowError, messageOf } from '../domain/errors.js';
import { workflowsInBundle } from './bundle-exports.js';
import { WORKFLOW_TYPES } from './workflow-types.js';

/** The line that a host adds to what it bundles. */
export const REEXPORT = "export * from 'cohortflow/workflows';";

type WebpackConfigHook = NonNullable<BundleOptions['webpackConfigHook']>;

/**
 * @param where what is bundled, as the host named it
 * @throws CohortflowError `WorkflowsNotInBundle` saying which line to add to it
 */
export function requireWorkflows(code: string, where: string, log: Logger): void {
  let found: ReadonlySet<string>;
  try {
    found = workflowsInBundle(code);
  } catch (error) {
    // Code that only loads within a workflow: the SDK may well run it, so this is no reason to refuse.
    log.warn(`cohortflow: ${where} could not be looked into for its workflows: ${messageOf(error)}`);
    return;
  }
  const missing = WORKFLOW_TYPES.filter((type) => !found.has(type));
  if (missing.length === 0) return;
  const message =
    `the workflows of cohortflow are not in ${where} (missing: ${missing.join(', ')}). ` +
    `Add this line to it, then bundle again:\n  ${REEXPORT}`;
  throw new CohortflowError('WorkflowsNotInBundle', message, { missing, line: REEXPORT });
}

/** Looks into the bundle that the SDK is about to make, after what the host itself changes of its making. */
function checkingHook(workflowsPath: string, hosts: WebpackConfigHook | undefined, log: Logger): WebpackConfigHook {
  return (given) => {
    const config = hosts === undefined ? given : hosts(given);
    const { plugins = [] } = config;
    return {
      ...config,
      plugins: [
        ...plugins,
        (compiler) => {
          compiler.hooks.emit.tap('cohortflow', (compilation) => {
            // What did not compile is reported by the SDK.
            if (compilation.errors.length > 0) return;
            for (const asset of Object.values(compilation.assets)) {
              requireWorkflows(asset.source().toString(), workflowsPath, log);
            }
          });
        },
      ],
    };
  };
}

/**
 * The options of a host's worker, with a look into its bundle: at once where the host brings one that is made already,
 * when the SDK makes it from `workflowsPath` otherwise.
 *
 * @throws CohortflowError `WorkflowsNotInBundle` when there is a bundle without our workflows, or nothing to bundle
 */
export async function withRequiredWorkflows(options: WorkerOptions, log: Logger): Promise<WorkerOptions> {
  const { workflowBundle, workflowsPath, bundlerOptions } = options;
  if (workflowBundle !== undefined) {
    if ('codePath' in workflowBundle) {
      const { codePath } = workflowBundle;
      requireWorkflows(await readFile(codePath, 'utf8'), `the code that ${codePath} was bundled from`, log);
    } else {
      requireWorkflows(workflowBundle.code, "what the worker's workflowBundle was bundled from", log);
    }
    return options;
  }
  if (workflowsPath === undefined) {
    const message =
      `the worker on ${options.taskQueue ?? 'this queue'} bundles no workflows at all. Give it a workflowsPath whose ` +
      `file has this line:\n  ${REEXPORT}\nor, for activities only, the plugin roles: ['io', 'cpu']`;
    throw new CohortflowError('WorkflowsNotInBundle', message, { missing: WORKFLOW_TYPES, line: REEXPORT });
  }
  const webpackConfigHook = checkingHook(workflowsPath, bundlerOptions?.webpackConfigHook, log);
  return { ...options, bundlerOptions: { ...bundlerOptions, webpackConfigHook } };
}
