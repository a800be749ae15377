import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { distPath } from '../app/package-root.js';

/** The workflows, and the interceptors that let traces through them. */
const WORKFLOWS = distPath('workflows/index.js');
const INTERCEPTORS = distPath('observability/workflow-tracing.js');

/** The failure converter of a worker that encrypts. */
const ENCODING_CONVERTER = distPath('codec/failure-converter.js');

/** Bundles that came with the installation. */
const PREBUILT = distPath('workflow-bundles');

const RELATIVE_IMPORT = /\b(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;

/** A compiled module and everything of ours that it imports. */
function modulesFrom(entries: readonly string[]): readonly string[] {
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    for (const [, name] of readFileSync(path, 'utf8').matchAll(RELATIVE_IMPORT)) visit(resolve(dirname(path), name!));
  };
  for (const entry of entries) visit(entry);
  return [...found].sort();
}

/** A bundle works with one version of the SDK only. */
function sdkVersion(): string {
  const manifest = createRequire(import.meta.url).resolve('@temporalio/worker/package.json');
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

/** Everything a bundle is made of, as one hash: a bundle of that name is neither stale nor of another SDK. */
function bundleName(failureConverterPath: string | undefined): string {
  const hash = createHash('sha256').update(`${sdkVersion()}\0${failureConverterPath === undefined ? '' : 'encoding'}`);
  const entries = [WORKFLOWS, INTERCEPTORS, ...(failureConverterPath === undefined ? [] : [failureConverterPath])];
  for (const path of modulesFrom(entries)) hash.update('\0').update(readFileSync(path));
  return `${hash.digest('hex').slice(0, 32)}.js`;
}

/** The one place where bundles are made. */
async function makeBundle(codePath: string, failureConverterPath: string | undefined): Promise<void> {
  const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} };
  const { code } = await bundleWorkflowCode({
    workflowsPath: WORKFLOWS,
    workflowInterceptorModules: [INTERCEPTORS],
    logger: silent,
    ...(failureConverterPath === undefined ? {} : { failureConverterPath }),
  });
  mkdirSync(dirname(codePath), { recursive: true });
  const aside = `${codePath}.${process.pid}.part`;
  writeFileSync(aside, code);
  renameSync(aside, codePath);
}

/**
 * The bundle of the workflows that a worker runs: the one that came with the installation, when it was made of this very
 * code with this very SDK; else one in `cacheFolder`, made once per content, since bundling takes seconds and a worker
 * starts often on a laptop.
 *
 * @param failureConverterPath the worker's, if it has one: workflows write their failures with it
 */
export async function workflowBundle(
  cacheFolder: string,
  failureConverterPath?: string,
): Promise<{ readonly codePath: string }> {
  const name = bundleName(failureConverterPath);
  const prebuilt = join(PREBUILT, name);
  if (existsSync(prebuilt)) return { codePath: prebuilt };
  const codePath = join(cacheFolder, 'workflow-bundles', name);
  if (!existsSync(codePath)) await makeBundle(codePath, failureConverterPath);
  return { codePath };
}

/**
 * Makes the bundles that come with an installation, for workers with and without encryption, and removes those of other
 * code. Called by the build.
 */
export async function prebuildWorkflowBundles(): Promise<void> {
  const wanted = new Map([undefined, ENCODING_CONVERTER].map((converter) => [bundleName(converter), converter]));
  for (const [name, converter] of wanted) {
    if (!existsSync(join(PREBUILT, name))) await makeBundle(join(PREBUILT, name), converter);
  }
  for (const name of readdirSync(PREBUILT)) if (!wanted.has(name)) rmSync(join(PREBUILT, name));
}
