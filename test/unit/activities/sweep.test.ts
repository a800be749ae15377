import { describe, expect, it } from 'vitest';
import { sweepWork, type SweepServices } from '../../../src/activities/sweep.js';
import { incompleteSweep, type SweepRequest, type WorkflowStanding } from '../../../src/contracts/sweep.js';
import { CohortflowError } from '../../../src/domain/errors.js';
import type { RemoteAlive } from '../../../src/ports/remote-executor.js';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const { signal } = new AbortController();

const work = (id: string, workflowId: string | undefined, minutes = 60): RemoteAlive => ({
  ...{ executor: 'sagemaker', id, name: id, since: new Date(NOW - minutes * 60_000).toISOString() },
  ...(workflowId === undefined ? {} : { workflowId }),
});

/** A service with some work, and a server that knows some workflows; what was ended is remembered. */
function services(
  alive: readonly RemoteAlive[],
  standings: Readonly<Record<string, WorkflowStanding>> = {},
): SweepServices & { readonly ended: string[] } {
  const ended: string[] = [];
  const busy = new Set<string>();
  return {
    ended,
    now: () => NOW,
    pause: async () => undefined,
    executor: (name) => ({
      alive: async () => alive.filter(({ executor }) => executor === name),
      end: async ({ id }) => {
        if (id.startsWith('stuck')) throw new CohortflowError('AwsThrottled', 'too many');
        if (id.startsWith('busy') && busy.size < 3) {
          busy.add(`${id} ${busy.size}`);
          throw new CohortflowError('AwsThrottled', 'too many');
        }
        ended.push(id);
      },
    }),
    standing: async (workflowId) => {
      const standing = standings[workflowId];
      if (standing === undefined) throw new CohortflowError('ServerUnavailable', 'away');
      return standing;
    },
  };
}

const request = (changes: Partial<SweepRequest> = {}): SweepRequest => ({
  executors: ['sagemaker', 'dragen'],
  end: true,
  ...changes,
});

describe('a sweep', () => {
  const standings = { open: 'open', closed: 'closed', forgotten: 'unknown' } as const;

  it('asks a service again that was busy', async () => {
    const world = services([work('busy', 'closed')], standings);
    const result = await sweepWork(request(), world, signal);
    expect(world.ended).toEqual(['busy']);
    expect(result.found).toMatchObject([{ id: 'busy', outcome: 'ended' }]);
  });

  it('ends what belongs to a workflow that has ended, and nothing of one that runs', async () => {
    const world = services(
      [work('a', 'open'), work('b', 'closed'), { ...work('c', 'closed'), executor: 'dragen' }],
      standings,
    );
    const result = await sweepWork(request(), world, signal);
    expect(world.ended.sort()).toEqual(['b', 'c']);
    expect(result).toMatchObject({ alive: 3, belongs: 1, unasked: [] });
    expect(result.found.map(({ id, reason, outcome }) => `${id} ${reason} ${outcome}`)).toEqual([
      'b closed ended',
      'c closed ended',
    ]);
  });

  it('only lists when nobody says that it shall end anything', async () => {
    const world = services([work('b', 'closed')], standings);
    const { found } = await sweepWork(request({ end: false }), world, signal);
    expect(found).toMatchObject([{ id: 'b', reason: 'closed', outcome: 'left' }]);
    expect(world.ended).toEqual([]);
  });

  it('leaves alone what a server that does not answer may know of', async () => {
    const world = services([work('b', 'nobody-answers')], standings);
    const { found } = await sweepWork(request({ unknown: true }), world, signal);
    expect(found).toMatchObject([{ reason: 'unanswered', outcome: 'left' }]);
    expect(world.ended).toEqual([]);
  });

  it('ends what the server does not know, or what has no workflow, only when told so', async () => {
    const world = services([work('b', 'forgotten'), work('c', undefined)], standings);
    expect((await sweepWork(request(), world, signal)).found.map(({ reason }) => reason)).toEqual([
      'unknown',
      'untagged',
    ]);
    expect(world.ended).toEqual([]);
    await sweepWork(request({ unknown: true }), world, signal);
    expect(world.ended.sort()).toEqual(['b', 'c']);
  });

  it('leaves alone what is young', async () => {
    const world = services([work('b', 'closed', 9), work('c', 'closed', 11)], standings);
    const { found } = await sweepWork(request(), world, signal);
    expect(found.map(({ id, reason }) => `${id} ${reason}`)).toEqual(['b young', 'c closed']);
    expect(world.ended).toEqual(['c']);
    await sweepWork(request({ olderThanMinutes: 0 }), world, signal);
    expect(world.ended).toContain('b');
  });

  it('goes on where one cannot be ended or a service does not answer, and says so', async () => {
    const world = services([work('stuck', 'closed'), work('b', 'closed')], standings);
    const deaf: SweepServices = {
      ...world,
      executor: (name) =>
        name === 'dragen'
          ? { ...world.executor(name), alive: () => Promise.reject(new CohortflowError('AwsDenied', 'no')) }
          : world.executor(name),
    };
    const result = await sweepWork(request(), deaf, signal);
    expect(result.unasked).toEqual([{ executor: 'dragen', message: 'no' }]);
    expect(result.found.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual(['stuck failed', 'b ended']);
    expect(world.ended).toEqual(['b']);
  });

  it('stops when it is cancelled', async () => {
    const world = services([work('b', 'closed')], standings);
    await expect(sweepWork(request(), world, AbortSignal.abort(new Error('cancelled')))).rejects.toThrow('cancelled');
    expect(world.ended).toEqual([]);
  });
});

describe('machines of a pool that wait for work', () => {
  const idle = (minutes: number): RemoteAlive => ({
    ...{ executor: 'dragen', id: `idle ${minutes}`, name: 'none' },
    since: new Date(NOW - 600 * 60_000).toISOString(),
    idleSince: new Date(NOW - minutes * 60_000).toISOString(),
  });

  it('are ended when they should long have ended themselves, and left until then', async () => {
    const world = services([idle(14), idle(24), idle(26)]);
    const { found } = await sweepWork(request(), world, signal);
    expect(found.map(({ id, reason, outcome }) => `${id} ${reason} ${outcome}`)).toEqual([
      'idle 14 young left',
      'idle 24 young left',
      'idle 26 idle ended',
    ]);
    expect(world.ended).toEqual(['idle 26']);
  });

  it('are ended by age alone where nothing unknown is anybody’s', async () => {
    const world = services([idle(9), idle(11)]);
    await sweepWork(request({ unknown: true }), world, signal);
    expect(world.ended).toEqual(['idle 11']);
  });
});

describe('a sweep that left something undone', () => {
  const swept = (outcome: 'ended' | 'left' | 'failed') =>
    ({ ...work(`is ${outcome}`, 'w'), reason: 'closed', outcome, message: 'denied' }) as const;
  const result = { alive: 2, belongs: 0, found: [swept('ended'), swept('left')], unasked: [] };

  it('is none where all was looked at and nothing failed', () => {
    expect(incompleteSweep(result)).toBeUndefined();
  });

  it('says which service was not looked at and what was not ended', () => {
    const unasked = [{ executor: 'dragen', message: 'no credentials' }] as const;
    const fault = incompleteSweep({ ...result, found: [...result.found, swept('failed')], unasked });
    expect(fault).toMatchObject({ code: 'SweepIncomplete', details: { unasked: ['dragen'], failed: 1 } });
    expect(fault?.message).toContain('dragen was not looked at: no credentials; sagemaker is failed was not ended');
  });

  it('tells a few of many', () => {
    const found = Array.from({ length: 7 }, () => swept('failed'));
    expect(incompleteSweep({ ...result, found })?.message).toMatch(/; and 2 more$/);
  });
});
