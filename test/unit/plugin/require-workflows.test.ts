import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogMetadata } from '@temporalio/common';
import { bundleWorkflowCode, type BundleOptions, type WorkerOptions } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../../src/app/package-root.js';
import { REEXPORT, withRequiredWorkflows } from '../../../src/plugin/require-workflows.js';
import { WORKFLOW_TYPES } from '../../../src/plugin/workflow-types.js';
import * as workflows from '../../../src/workflows/index.js';
import { temporaryFolder } from '../../support/run-step.js';

const OURS = join(PACKAGE_ROOT, 'src', 'workflows', 'index.ts');

/** What a host may have in the file that it bundles. */
const HOSTS = {
  whole: `export * from ${JSON.stringify(OURS)}; export async function own() {}`,
  // Our workflow is in the code, since it is called, but no worker can start it.
  calledOnly: `import { imagingCohort } from ${JSON.stringify(OURS)}; export async function own() { return imagingCohort.name; }`,
  some: `export { imagingCohort, imagingStudy } from ${JSON.stringify(OURS)};`,
  clocked: `export * from ${JSON.stringify(OURS)}; export const loaded = [Date.now(), new Date().getTime(), Math.random()];`,
  stubborn: `export async function own() {} if (globalThis.__TEMPORAL_ACTIVATOR__.workflow === undefined) throw new Error('not now');`,
};

describe('the look into the bundle of a host', () => {
  const folder = temporaryFolder('bundles');
  const warnings: string[] = [];
  const ignore = (): void => undefined;
  const log = {
    ...{ log: ignore, trace: ignore, debug: ignore, info: ignore, error: ignore },
    warn: (message: string, _meta?: LogMetadata) => void warnings.push(message),
  };
  const quiet = { ...log, warn: ignore };
  const path = (name: keyof typeof HOSTS): string => join(folder, `${name}.ts`);

  beforeAll(() => {
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(HOSTS)) writeFileSync(join(folder, `${name}.ts`), `${text}\n`);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const resolving: NonNullable<BundleOptions['webpackConfigHook']> = (config) => ({
    ...config,
    resolve: { ...config.resolve, modules: ['node_modules', join(PACKAGE_ROOT, 'node_modules')] },
  });

  /** Bundles as the SDK does for a worker with these options. */
  async function bundled(options: WorkerOptions): Promise<string> {
    const { workflowsPath, bundlerOptions } = await withRequiredWorkflows(options, log);
    const { code } = await bundleWorkflowCode({ workflowsPath: workflowsPath!, ...bundlerOptions, logger: quiet });
    return code;
  }

  function options(name: keyof typeof HOSTS): WorkerOptions {
    return {
      taskQueue: 'host',
      workflowsPath: path(name),
      bundlerOptions: { webpackConfigHook: resolving },
    };
  }

  it('knows every workflow of ours', () => {
    expect([...WORKFLOW_TYPES].sort()).toEqual(Object.keys(workflows).sort());
  });

  it('passes a bundle that the SDK makes with all of them, and what is in one that was made before', async () => {
    const code = await bundled(options('whole'));
    const made = { taskQueue: 'host', workflowBundle: { code } };
    expect(await withRequiredWorkflows(made, log)).toBe(made);
    const codePath = join(folder, 'bundle.js');
    writeFileSync(codePath, code);
    const onDisk = { taskQueue: 'host', workflowBundle: { codePath } };
    expect(await withRequiredWorkflows(onDisk, log)).toBe(onDisk);
    expect(warnings).toEqual([]);
  });

  it('passes module code that asks for the time and for chance', async () => {
    await bundled(options('clocked'));
    expect(warnings).toEqual([]);
  });

  it('refuses one in which ours are only called, naming the file and the line to add', async () => {
    const attempt = bundled(options('calledOnly'));
    await expect(attempt).rejects.toMatchObject({ code: 'WorkflowsNotInBundle', details: { missing: WORKFLOW_TYPES } });
    await expect(attempt).rejects.toThrow(path('calledOnly'));
    await expect(attempt).rejects.toThrow(REEXPORT);
  });

  it('names those that are missing, in a bundle made before too', async () => {
    const { code } = await bundleWorkflowCode({
      workflowsPath: path('some'),
      webpackConfigHook: resolving,
      logger: quiet,
    });
    const codePath = join(folder, 'some.js');
    writeFileSync(codePath, code);
    for (const workflowBundle of [{ code }, { codePath }]) {
      const attempt = withRequiredWorkflows({ taskQueue: 'host', workflowBundle }, log);
      await expect(attempt).rejects.toMatchObject({
        code: 'WorkflowsNotInBundle',
        details: { missing: WORKFLOW_TYPES.filter((type) => type !== 'imagingCohort' && type !== 'imagingStudy') },
      });
    }
  });

  it('refuses a worker with no workflows, and says how to have activities only', async () => {
    const attempt = withRequiredWorkflows({ taskQueue: 'host' }, log);
    await expect(attempt).rejects.toMatchObject({ code: 'WorkflowsNotInBundle' });
    await expect(attempt).rejects.toThrow(/roles: \['io', 'cpu'\]/);
  });

  it('does not refuse what it cannot look into, but says so', async () => {
    warnings.length = 0;
    await bundled(options('stubborn'));
    expect(warnings).toEqual([expect.stringContaining('not now')]);
  });
});
