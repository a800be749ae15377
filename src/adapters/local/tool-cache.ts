import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CohortflowError } from '../../domain/errors.js';
import { ioError, isTaken } from './io-errors.js';

/** Tells the user what is going on; long steps call it every few seconds. */
export type Log = (line: string) => void;

/** Where programs that cohortflow fetched for itself are kept: `<cache>/bin`. */
export function programFolder(cacheFolder: string): string {
  return join(cacheFolder, 'bin');
}

/** True when a process with this id exists (it may belong to someone else). */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

interface Holder {
  readonly pid: number;
  readonly host: string;
}

async function holderOf(lock: string): Promise<Holder | undefined> {
  try {
    const { pid, host } = JSON.parse(await readFile(lock, 'utf8')) as Partial<Holder>;
    return typeof pid === 'number' && typeof host === 'string' ? { pid, host } : undefined;
  } catch {
    return undefined;
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    const handle = await open(lock, 'wx');
    await handle.writeFile(JSON.stringify({ pid: process.pid, host: hostname() } satisfies Holder));
    await handle.close();
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
    throw ioError(error, lock, 'locking');
  }
}

function isGone(holder: Holder | undefined): boolean {
  return holder !== undefined && holder.host === hostname() && !processExists(holder.pid);
}

/** Removes a lock whose process is gone; one that another process took in between is put back. */
async function breakLock(lock: string): Promise<void> {
  const aside = `${lock}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(lock, aside);
  } catch {
    return;
  }
  const holder = await holderOf(aside);
  if (holder !== undefined && !isGone(holder)) await link(aside, lock).catch(() => undefined);
  await rm(aside, { force: true });
}

const POLL_MS = 200;
/** A lock file is empty for the moment between its making and its writing; longer than this and its maker is dead. */
const EMPTY_GRACE_MS = 5_000;

/**
 * Runs `work` while no other process of this machine holds `lock` (a file that names its holder). A lock left behind by
 * a killed process is broken; one held for longer than `patienceMs` is an error that names the holder.
 *
 * @throws CohortflowError `IoError` when the wait is over.
 */
export async function withLock<T>(
  lock: string,
  work: () => Promise<T>,
  { log, waitingFor, patienceMs }: { readonly log: Log; readonly waitingFor: string; readonly patienceMs: number },
): Promise<T> {
  await mkdir(dirname(lock), { recursive: true });
  const since = Date.now();
  let emptySince: number | undefined;
  let announced = false;
  while (!(await take(lock))) {
    const holder = await holderOf(lock);
    if (holder === undefined) emptySince ??= Date.now();
    else emptySince = undefined;
    if (isGone(holder) || (emptySince !== undefined && Date.now() - emptySince > EMPTY_GRACE_MS)) {
      await breakLock(lock);
      continue;
    }
    if (Date.now() - since > patienceMs) {
      const who = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`;
      throw new CohortflowError('IoError', `${who} has been ${waitingFor} for too long: end it or delete ${lock}`);
    }
    if (!announced && holder !== undefined) {
      announced = true;
      log(`waiting for process ${holder.pid}, which is ${waitingFor}`);
    }
    await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}
