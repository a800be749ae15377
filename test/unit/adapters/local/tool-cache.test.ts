import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { processExists, withLock } from '../../../../src/adapters/local/tool-cache.js';
import { temporaryFolder } from '../../../support/run-step.js';

const quiet = { log: () => undefined, waitingFor: 'testing', patienceMs: 20_000 };

/** Id of a process that has just ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

describe('a lock', () => {
  it('lets one holder in at a time', async () => {
    const lock = join(temporaryFolder('lock'), 'one.lock');
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(20);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 4 }, () => withLock(lock, work, quiet)));
    expect(most).toBe(1);
    expect(existsSync(lock)).toBe(false);
  });

  it('of a process that is gone is broken', async () => {
    const lock = join(temporaryFolder('lock'), 'stale.lock');
    writeFileSync(lock, JSON.stringify({ pid: deadPid(), host: hostname() }));
    await expect(withLock(lock, async () => 'done', quiet)).resolves.toBe('done');
  });

  it('is released when the work fails', async () => {
    const lock = join(temporaryFolder('lock'), 'failing.lock');
    await expect(withLock(lock, () => Promise.reject(new Error('no')), quiet)).rejects.toThrow('no');
    expect(existsSync(lock)).toBe(false);
  });

  it('held by a living process is an error after the patience, naming the holder', async () => {
    const lock = join(temporaryFolder('lock'), 'held.lock');
    writeFileSync(lock, JSON.stringify({ pid: process.ppid, host: hostname() }));
    const lines: string[] = [];
    const waiting = withLock(lock, async () => 'done', { ...quiet, patienceMs: 300, log: (line) => lines.push(line) });
    await expect(waiting).rejects.toThrow(`process ${process.ppid}`);
    expect(lines).toEqual([`waiting for process ${process.ppid}, which is testing`]);
    expect(existsSync(lock)).toBe(true);
  });

  it('of another machine is not judged by this machine’s processes', async () => {
    const lock = join(temporaryFolder('lock'), 'foreign.lock');
    writeFileSync(lock, JSON.stringify({ pid: deadPid(), host: 'elsewhere' }));
    await expect(withLock(lock, async () => 'done', { ...quiet, patienceMs: 300 })).rejects.toThrow('elsewhere');
  });
});

describe('processExists', () => {
  it('tells a living process from one that is gone', () => {
    expect(processExists(process.pid)).toBe(true);
    expect(processExists(deadPid())).toBe(false);
  });
});
