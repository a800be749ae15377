import { join } from 'node:path';
import { bundleWorkflowCode, type WorkerOptions, type WorkflowBundle } from '@temporalio/worker';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';

type WebpackHook = NonNullable<NonNullable<WorkerOptions['bundlerOptions']>['webpackConfigHook']>;
type Plugin = NonNullable<ReturnType<WebpackHook>['plugins']>[number];

const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} };
const IMPATIENT = join(PACKAGE_ROOT, 'test', 'support', 'impatient-work-classes.ts');

/** Gives the workflows other classes of work than the product's. */
const impatience: Plugin = {
  apply(compiler) {
    const replacement = new compiler.webpack.NormalModuleReplacementPlugin(/\/work-classes\.js$/, (resource) => {
      if (resource.context.endsWith(join('src', 'workflows'))) resource.request = IMPATIENT;
    });
    replacement.apply(compiler);
  },
};

/** The workflows of the working tree, whose time-outs and pauses of heavy steps are seconds: for tests of activities that hang. */
export function impatientBundle(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: join(PACKAGE_ROOT, 'src/workflows/index.ts'),
    logger: silent,
    webpackConfigHook: (config) => ({ ...config, plugins: [...(config.plugins ?? []), impatience] }),
  });
}
