import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { describe, expect, it } from 'vitest';
import { descendantsOf, killTree } from '../../../../src/adapters/local/process-tree.js';

/** Starts a child, tells its number, and from then on has threads that come and go. */
const RESTLESS = `
  const { spawn } = require('node:child_process');
  const { Worker } = require('node:worker_threads');
  const child = spawn('sleep', ['600'], { stdio: 'ignore', detached: true });
  console.log(child.pid);
  const turn = () => new Worker('0', { eval: true }).on('exit', turn);
  for (let n = 0; n < 4; n += 1) turn();
`;

describe.skipIf(platform() !== 'linux')('the processes below a process', () => {
  it('are all found while its threads come and go, and end with it', async () => {
    const parent = spawn(process.execPath, ['-e', RESTLESS], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [told] = (await once(parent.stdout, 'data')) as [Buffer];
    const child = Number(String(told));
    try {
      for (let n = 0; n < 300; n += 1) expect(await descendantsOf(parent.pid!)).toContain(child);
    } finally {
      await killTree(parent.pid!);
    }
    await once(parent, 'exit');
    await expect.poll(() => isAlive(child), { timeout: 10_000 }).toBe(false);
  });

  it('are none of a process that there is not', async () => {
    expect(await descendantsOf(2 ** 22 + 1)).toEqual([]);
  });
});

/** One that nobody has looked at since it ended is still listed, as Z. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
