import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { isOver } from '../../../src/app/cohort-run.js';

/** A server on which a run stands so, with so many workflows open in its tree. */
function serverWith(status: string | undefined, open: number): { client: Client; asked: string[] } {
  const asked: string[] = [];
  const workflow = {
    getHandle: (workflowId: string) => ({
      describe: async () => {
        if (status === undefined) throw new WorkflowNotFoundError('none', workflowId, undefined);
        return { status: { name: status } };
      },
    }),
    count: async (query: string) => {
      asked.push(query);
      return { count: open };
    },
  };
  return { client: { workflow } as unknown as Client, asked };
}

describe('a run is over', () => {
  it.each([
    ['RUNNING', 3, false],
    ['TERMINATED', 2, false],
    ['TERMINATED', 0, true],
    ['TIMED_OUT', 1, false],
    ['FAILED', 1, false],
    ['FAILED', 0, true],
    ['COMPLETED', 0, true],
    ['CANCELLED', 0, true],
    [undefined, 0, true],
  ])('or not: %s with %d open below it', async (status, open, over) => {
    expect(await isOver(serverWith(status, open).client, 'root')).toBe(over);
  });

  it('is asked of the whole tree, and only where something below may still be open', async () => {
    const terminated = serverWith('TERMINATED', 0);
    await isOver(terminated.client, 'root');
    expect(terminated.asked).toEqual(["RootWorkflowId = 'root' AND ExecutionStatus = 'Running'"]);
    const completed = serverWith('COMPLETED', 0);
    await isOver(completed.client, 'root');
    expect(completed.asked).toEqual([]);
  });
});
