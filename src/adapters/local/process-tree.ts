import { readFile, readdir } from 'node:fs/promises';

/** Direct children of a process, where the system tells (Linux); none elsewhere. */
async function childrenOf(pid: number): Promise<number[]> {
  try {
    const threads = await readdir(`/proc/${pid}/task`);
    const lists = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8')));
    return lists.flatMap((list) => list.split(' ').filter((item) => item !== '')).map(Number);
  } catch {
    return [];
  }
}

/** All processes below a process, nearest first. */
export async function descendantsOf(pid: number): Promise<number[]> {
  const found: number[] = [];
  for (let level = [pid]; level.length > 0;) {
    level = (await Promise.all(level.map(childrenOf))).flat();
    found.push(...level);
  }
  return found;
}

/**
 * Kills a process and all below it at once. A program that its parent put into a group of its own (as the tool runner
 * does) would outlive a parent that is killed.
 */
export async function killTree(pid: number): Promise<void> {
  for (const member of [pid, ...(await descendantsOf(pid))]) {
    try {
      process.kill(member, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}
