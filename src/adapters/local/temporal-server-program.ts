import { execFile, spawn } from 'node:child_process';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { CohortflowError } from '../../domain/errors.js';
import { downloadServer } from './temporal-server-download.js';
import { LocalToolRunner } from './tool-runner.js';
import { programFolder, withLock, type Log } from './tool-cache.js';

const run = promisify(execFile);

/** The Temporal CLI, whose `server start-dev` is the embedded server. */
export interface TemporalProgram {
  readonly path: string;
  /** Version of the server inside, `1.29.1`: it decides whether a database can be opened. */
  readonly serverVersion: string;
  readonly source: 'PATH' | 'cache' | 'download' | 'go install';
}

/** Oldest server that is known to do what our workflows ask for (updates, details for the Temporal UI). */
const OLDEST_SERVER = '1.27.0';
const GO_MODULE = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const VERSION_TIMEOUT_MS = 30_000;
const GO_REPORT_MS = 10_000;
const BUILD_PATIENCE_MS = 20 * 60_000;

/** Compares dotted versions number by number: negative when `a` is older. */
export function compareVersions(a: string, b: string): number {
  const parts = (text: string): number[] => text.split('.').map(Number);
  const [left, right] = [parts(a), parts(b)];
  for (let n = 0; n < Math.max(left.length, right.length); n += 1) {
    const difference = (left[n] ?? 0) - (right[n] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The server's version in the answer of `temporal --version`: "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)". */
export function serverVersionIn(answer: string): string | undefined {
  return /\(Server (\d+\.\d+\.\d+)/.exec(answer)?.[1];
}

/** Runs a candidate; what does not run, is not the Temporal CLI or is too old is not usable, and the log says why. */
async function check(
  path: string | undefined,
  source: TemporalProgram['source'],
  log: Log,
): Promise<TemporalProgram | undefined> {
  if (path === undefined) return undefined;
  try {
    const { stdout } = await run(path, ['--version'], { timeout: VERSION_TIMEOUT_MS });
    const serverVersion = serverVersionIn(stdout);
    if (serverVersion === undefined) log(`${path} is not the Temporal CLI: it says "${stdout.trim().slice(0, 80)}"`);
    else if (compareVersions(serverVersion, OLDEST_SERVER) >= 0) return { path, serverVersion, source };
    else log(`${path} holds server ${serverVersion}; at least ${OLDEST_SERVER} is needed`);
  } catch {
    log(`${path} does not run on this machine`);
  }
  return undefined;
}

/** The Temporal CLI on PATH, else the one that an earlier run put into the cache. Downloads and builds nothing. */
export async function findTemporalProgram(cacheFolder: string, log: Log): Promise<TemporalProgram | undefined> {
  const onPath = await check(await new LocalToolRunner().find('temporal'), 'PATH', log);
  if (onPath !== undefined) return onPath;
  return check(await new LocalToolRunner().find(join(programFolder(cacheFolder), 'temporal')), 'cache', log);
}

/**
 * The Temporal CLI: on PATH, in the cache, downloaded by the SDK, or built with Go, in this order. What is fetched is
 * put into the cache whole (renamed into place); of several processes one fetches and the others wait for it.
 *
 * @throws CohortflowError `ToolMissing` saying what was tried and what to install.
 */
export async function obtainTemporalProgram(cacheFolder: string, log: Log): Promise<TemporalProgram> {
  const found = await findTemporalProgram(cacheFolder, log);
  if (found !== undefined) return found;
  const bin = programFolder(cacheFolder);
  return withLock(
    join(bin, 'temporal.lock'),
    async () => {
      const meanwhile = await check(await new LocalToolRunner().find(join(bin, 'temporal')), 'cache', log);
      if (meanwhile !== undefined) return meanwhile;
      const tried: string[] = [];
      const fetched = (await fromSdk(bin, log, tried)) ?? (await fromGo(bin, log, tried));
      if (fetched !== undefined) return fetched;
      throw new CohortflowError(
        'ToolMissing',
        `no Temporal server: not on PATH; ${tried.join('; ')}. Install the Temporal CLI ` +
          '(https://docs.temporal.io/cli#install) or Go, or set TEMPORAL_ADDRESS to a server that runs already',
      );
    },
    { log, waitingFor: 'fetching the Temporal server', patienceMs: BUILD_PATIENCE_MS },
  );
}

async function install(
  made: string,
  bin: string,
  source: TemporalProgram['source'],
  log: Log,
): ReturnType<typeof check> {
  await chmod(made, 0o755);
  const checked = await check(made, source, log);
  if (checked === undefined) return undefined;
  const path = join(bin, 'temporal');
  await rename(made, path);
  return { ...checked, path };
}

async function fromSdk(bin: string, log: Log, tried: string[]): ReturnType<typeof check> {
  log('Temporal server: asking the SDK to download it');
  const folder = join(bin, 'temporal-download');
  try {
    const got = await downloadServer('dev-server', folder, log);
    const installed = 'path' in got ? await install(got.path, bin, 'download', log) : undefined;
    const reason = 'path' in got ? 'what came does not run here' : got.reason;
    if (installed === undefined) tried.push(`download: ${reason}`);
    return installed;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fromGo(bin: string, log: Log, tried: string[]): ReturnType<typeof check> {
  const go = await new LocalToolRunner().find('go');
  if (go === undefined) {
    tried.push('go install: Go is not on PATH');
    return undefined;
  }
  log(`Temporal server: ${tried.at(-1) ?? 'no download'}; building it with Go (${GO_MODULE}), about 4 minutes once`);
  const folder = join(bin, 'temporal-build');
  try {
    await mkdir(folder, { recursive: true });
    const failure = await goInstall(go, folder, log);
    const installed =
      failure === undefined ? await install(join(folder, 'temporal'), bin, 'go install', log) : undefined;
    if (installed === undefined) tried.push(`go install: ${failure ?? 'what was built does not run here'}`);
    return installed;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Builds into `folder`; returns why it failed, or undefined. `-v` names each package as it is compiled: the progress. */
async function goInstall(go: string, folder: string, log: Log): Promise<string | undefined> {
  const child = spawn(go, ['install', '-v', GO_MODULE], {
    env: { ...process.env, GOBIN: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const began = Date.now();
  const complaints: string[] = [];
  let downloaded = 0;
  let compiled = 0;
  createInterface({ input: child.stderr, crlfDelay: Infinity }).on('line', (line) => {
    if (line.startsWith('go: downloading')) downloaded += 1;
    else if (/^[\w.-]+(\/[\w.~-]+)*$/.test(line)) compiled += 1;
    else complaints.push(line);
  });
  const report = (): void => {
    const seconds = Math.round((Date.now() - began) / 1000);
    log(`building the Temporal server: ${downloaded} modules fetched, ${compiled} packages compiled, ${seconds} s`);
  };
  const timer = setInterval(report, GO_REPORT_MS);
  const onExit = (): void => void child.kill();
  process.once('exit', onExit);
  try {
    const code = await new Promise<number | null>((resolve) => {
      child.once('error', () => resolve(null));
      child.once('close', resolve);
    });
    report();
    return code === 0 ? undefined : complaints.slice(-3).join(' / ') || `exit code ${code ?? 'none'}`;
  } finally {
    clearInterval(timer);
    process.removeListener('exit', onExit);
  }
}
