import { describe, expect, it } from 'vitest';
import { endMachines } from '../../../../../src/adapters/aws/dragen/end-machines.js';
import type { Machine } from '../../../../../src/adapters/aws/dragen/machines.js';

const { signal } = new AbortController();
const FAST = { unseenMs: 60_000, pollMs: 1 };

/** An account whose machines are not seen for so many looks: until then they cannot be ended either. */
function account(unseenLooks: number, state: Machine['state'] = 'running') {
  const states = new Map<string, Machine['state']>();
  const asked: string[] = [];
  let looks = 0;
  return {
    states,
    asked,
    terminate: async (id: string) => {
      asked.push(id);
      if (looks >= unseenLooks) states.set(id, 'shutting-down');
    },
    describe: async (id: string) => {
      looks += 1;
      if (looks <= unseenLooks) return undefined;
      return { id, state: states.get(id) ?? state, type: '', reason: '', tags: {}, spot: false };
    },
  };
}

describe('ending machines', () => {
  it('ends one that is seen, and asks once', async () => {
    const aws = account(0);
    await endMachines(aws, [{ id: 'i-1' }], FAST, signal);
    expect([...aws.states]).toEqual([['i-1', 'shutting-down']]);
    expect(aws.asked).toEqual(['i-1']);
  });

  it.each([
    ['whose start is known', new Date().toISOString()],
    ['whose start is not known', undefined],
  ])('ends one %s when it is seen at last', async (_what, since) => {
    const aws = account(3);
    await endMachines(aws, [{ id: 'i-1', ...(since === undefined ? {} : { since }) }], FAST, signal);
    expect([...aws.states]).toEqual([['i-1', 'shutting-down']]);
    expect(aws.asked.length).toBeGreaterThan(1);
  });

  it('takes one that has not been seen for long for one that is no more', async () => {
    const aws = account(Infinity);
    await endMachines(aws, [{ id: 'i-1', since: new Date(Date.now() - 61_000).toISOString() }], FAST, signal);
    expect(aws.asked).toEqual(['i-1']);
  });
});
