import { join } from 'node:path';
import { bundleWorkflowCode, type WorkflowBundle } from '@temporalio/worker';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';

const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} };

/** The workflows of the working tree, bundled from their TypeScript: tests see a change without a build. */
export function sourceBundle(): Promise<WorkflowBundle> {
  return bundleWorkflowCode({ workflowsPath: join(PACKAGE_ROOT, 'src/workflows/index.ts'), logger: silent });
}
