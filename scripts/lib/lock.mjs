// One set-up at a time per checkout: `npm run demo` and `npm test` may be started together in a fresh clone.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './console.mjs';
import { ROOT } from './product.mjs';

const LOCK = join(ROOT, '.cache', 'set-up.lock');

function holder() {
  try {
    return Number(readFileSync(LOCK, 'utf8'));
  } catch {
    return undefined;
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs `work` while no other set-up of this checkout runs; the lock of a process that is gone does not count. */
export async function alone(work) {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  for (let announced = false; ; await sleep(300)) {
    try {
      writeFileSync(LOCK, `${process.pid}`, { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const pid = holder();
    if (pid === undefined) continue;
    if (!alive(pid)) rmSync(LOCK, { force: true });
    else if (!announced) {
      announced = true;
      say(`waiting for the set-up of process ${pid}`);
    }
  }
  try {
    return await work();
  } finally {
    rmSync(LOCK, { force: true });
  }
}
