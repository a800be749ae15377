import { readFile, readdir } from 'node:fs/promises';

/** Children that one thread of a process has started; none once the thread has ended: the process's others take them over. */
const startedBy = (pid: number, thread: string): Promise<string> =>
  readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '');

/** Direct children of a process, where the system tells (Linux); none elsewhere. */
async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  // The first thread last: it takes over what others had started, and would otherwise be asked too early.
  const lists: string[] = [];
  for (const thread of threads.reverse()) lists.push(await startedBy(pid, thread));
  const found = lists.flatMap((list) => list.split(' ').filter((item) => item !== '')).map(Number);
  return [...new Set(found)];
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
