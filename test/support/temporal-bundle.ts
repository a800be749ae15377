import { join } from 'node:path';
import { bundleWorkflowCode, type WorkflowBundle } from '@temporalio/worker';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';

const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} };

/** Bundles the workflows that a TypeScript file exports: tests see a change without a build. */
export function bundleOf(workflowsPath: string): Promise<WorkflowBundle> {
  return bundleWorkflowCode({ workflowsPath, logger: silent });
}

/** The workflows of the working tree with the interceptors that workers give them. */
export function tracedBundle(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({
    workflowsPath: join(PACKAGE_ROOT, 'src/workflows/index.ts'),
    workflowInterceptorModules: [join(PACKAGE_ROOT, 'src/observability/workflow-tracing.ts')],
    logger: silent,
  });
}

/** The workflows of the working tree. */
export function sourceBundle(): Promise<WorkflowBundle> {
  return bundleOf(join(PACKAGE_ROOT, 'src/workflows/index.ts'));
}
