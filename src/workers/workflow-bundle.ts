import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { distPath, packageVersion } from '../app/package-root.js';

/** Everything the bundle is made of, as one hash: contents of the compiled folders the workflows import from, and more. */
function sourceHash(more: readonly string[]): string {
  const hash = createHash('sha256').update(packageVersion());
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.name.endsWith('.js')) hash.update(entry.name).update(readFileSync(path));
    }
  };
  for (const folder of ['workflows', 'contracts', 'domain/failures']) walk(distPath(folder));
  for (const file of ['domain/errors.js', 'domain/cohort/manifest.js']) hash.update(readFileSync(distPath(file)));
  for (const path of more) hash.update(path).update(readFileSync(path));
  return hash.digest('hex').slice(0, 32);
}

/**
 * The bundle of the workflows that a worker runs. Made once per content and kept in `cacheFolder`, since bundling takes
 * seconds and a worker starts often on a laptop.
 *
 * @param failureConverterPath the worker's, if it has one: workflows write their failures with it
 */
export async function workflowBundle(
  cacheFolder: string,
  failureConverterPath?: string,
): Promise<{ readonly codePath: string }> {
  const folder = join(cacheFolder, 'workflow-bundles');
  const codePath = join(folder, `${sourceHash(failureConverterPath === undefined ? [] : [failureConverterPath])}.js`);
  if (!existsSync(codePath)) {
    const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} };
    const { code } = await bundleWorkflowCode({
      workflowsPath: distPath('workflows/index.js'),
      logger: silent,
      ...(failureConverterPath === undefined ? {} : { failureConverterPath }),
    });
    mkdirSync(folder, { recursive: true });
    const aside = `${codePath}.${process.pid}.part`;
    writeFileSync(aside, code);
    renameSync(aside, codePath);
  }
  return { codePath };
}
