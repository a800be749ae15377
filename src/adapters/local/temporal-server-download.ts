import { spawn } from 'node:child_process';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Log } from './tool-cache.js';

/** Which server the SDK is asked for: the Temporal CLI with its development server, or the time-skipping one of tests. */
export type DownloadedServer = 'dev-server' | 'time-skipping';

/** Without a first byte after this long there is no way to the download site from here. */
const FIRST_BYTE_MS = 15_000;
const TOTAL_MS = 10 * 60_000;
const REPORT_MS = 5_000;

// The SDK downloads only as part of starting a server, in its native part, which cannot be interrupted: hence a process
// of its own, which also keeps the SDK's one-per-process runtime out of ours.
const CHILD = `
const { TestWorkflowEnvironment } = require(process.argv[1]);
const server = { executable: { type: 'cached-download', downloadDir: process.argv[3], ttl: '3650 days' } };
const start = process.argv[2] === 'dev-server' ? 'createLocal' : 'createTimeSkipping';
TestWorkflowEnvironment[start]({ server }).then((env) => env.teardown()).then(
  () => process.exit(0),
  (error) => { process.stderr.write(String(error && error.message)); process.exit(1); },
);
`;

async function files(folder: string): Promise<{ path: string; size: number }[]> {
  const names = await readdir(folder);
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const entry = await stat(path).catch(() => undefined);
      return entry?.isFile() === true ? [{ path, size: entry.size }] : [];
    }),
  );
  return found.flat();
}

/**
 * Lets the Temporal SDK download a server into `folder` (empty or holding an earlier try) and start it once as a proof.
 * Never waits without bound: gives up when nothing has come after 15 s, or after 10 minutes.
 *
 * @returns path of the executable, or the reason why there is none.
 */
export async function downloadServer(
  server: DownloadedServer,
  folder: string,
  log: Log,
): Promise<{ readonly path: string } | { readonly reason: string }> {
  await mkdir(folder, { recursive: true });
  const sdk = createRequire(import.meta.url).resolve('@temporalio/testing');
  const child = spawn(process.execPath, ['-e', CHILD, sdk, server, folder], { stdio: ['ignore', 'ignore', 'pipe'] });
  const began = Date.now();
  let stderr = '';
  let givenUp: string | undefined;
  let reported = 0;
  child.stderr.on('data', (chunk: Buffer) => (stderr = `${stderr}${chunk.toString()}`.slice(-4096)));
  const look = async (): Promise<void> => {
    const bytes = (await files(folder)).reduce((sum, { size }) => sum + size, 0);
    const waited = Date.now() - began;
    if (bytes === 0 && waited > FIRST_BYTE_MS) givenUp = `nothing came within ${FIRST_BYTE_MS / 1000} s`;
    else if (waited > TOTAL_MS) givenUp = `not done after ${TOTAL_MS / 60_000} minutes`;
    if (givenUp !== undefined) child.kill('SIGKILL');
    if (bytes > 0 && waited - reported > REPORT_MS) {
      reported = waited;
      log(`downloading: ${(bytes / 1e6).toFixed(0)} MB, ${(waited / 1000).toFixed(0)} s`);
    }
  };
  const watch = setInterval(() => void look().catch(() => undefined), 1_000);
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  }).finally(() => clearInterval(watch));
  if (code !== 0) return { reason: givenUp ?? shortReason(stderr) };
  const largest = (await files(folder)).sort((a, b) => b.size - a.size)[0];
  return largest === undefined ? { reason: 'the SDK left no file' } : { path: largest.path };
}

/** The last clause of the SDK's nested message is the cause ("dns error: …"). */
function shortReason(stderr: string): string {
  const text = stderr.trim();
  const at = text.lastIndexOf('): ');
  return (at === -1 ? text : text.slice(at + 3)) || 'the SDK gave no reason';
}
