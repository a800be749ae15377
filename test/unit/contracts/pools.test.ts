import { describe, expect, it } from 'vitest';
import {
  fairShares,
  grantOf,
  poolSize,
  withClaim,
  withGrants,
  type PoolGrant,
  type PoolHolder,
} from '../../../src/contracts/pools.js';
import type { PoolClaim } from '../../../src/contracts/activities.js';
import { seededRandom } from '../../../src/domain/seeded-random.js';

describe('fair shares', () => {
  it.each([
    [10, [10, 10], [5, 5]],
    [10, [2, 10, 10], [2, 4, 4]],
    [7, [5, 5], [4, 3]],
    [2, [5, 5, 5], [1, 1, 0]],
    [50, [3, 4], [3, 4]],
    [5, [0, 9], [0, 5]],
    [0, [3], [0]],
    [4, [], []],
  ])('of %i among those who can use %j are %j', (width, caps, shares) => {
    expect(fairShares(width, caps)).toEqual(shares);
  });
});

const claim = (holder: string, fields: Partial<PoolClaim> = {}): PoolClaim => ({
  pool: 'jobs',
  size: 10,
  holder,
  want: 10,
  using: 0,
  seq: 0,
  leaves: false,
  ...fields,
});
const grantsOf = (holders: readonly PoolHolder[]): Record<string, number> =>
  Object.fromEntries(holders.map(({ holder, granted }) => [holder, granted]));

describe('a pool', () => {
  it('gives a slot on only when its holder has confirmed that nothing runs in it', () => {
    let holders = withGrants(withClaim([], claim('a')));
    expect(grantsOf(holders)).toEqual({ a: 10 });
    holders = withGrants(withClaim(holders, claim('b')));
    // Half is taken from a at once, but b has to wait until a has said that it uses no more.
    expect(grantsOf(holders)).toEqual({ a: 5, b: 0 });
    const told = grantOf('jobs', holders[0]!);
    expect(told).toEqual({ pool: 'jobs', slots: 5, seq: 2, confirm: true });
    // Sent before the last grant was seen: worth nothing.
    expect(grantsOf(withGrants(withClaim(holders, claim('a', { using: 5, seq: 1 }))))).toEqual({ a: 5, b: 0 });
    holders = withGrants(withClaim(holders, claim('a', { using: 5, seq: 2 })));
    expect(grantsOf(holders)).toEqual({ a: 5, b: 5 });
    holders = withGrants(withClaim(holders, claim('a', { leaves: true })));
    expect(grantsOf(holders)).toEqual({ b: 10 });
  });

  it('has the smallest of the sizes that its users name', () => {
    const holders = withClaim(withClaim([], claim('a', { size: 8 })), claim('b', { size: 6 }));
    expect(poolSize(holders)).toBe(6);
    expect(poolSize([])).toBe(0);
  });

  it.each([1, 2, 3, 4, 5])(
    'never lets more run than it has slots, however late and out of order messages come (seed %i)',
    (seed) => {
      const random = seededRandom(seed);
      const pick = (n: number): number => Math.floor(random.uniform() * n);
      const SIZE = 6;
      const names = ['a', 'b', 'c', 'd'];
      /** What each holder itself knows and does; it starts and ends units as it likes within its grant. */
      const own = new Map(
        names.map((name) => [name, { running: 0, want: 0, seq: 0, slots: 0, confirm: false, there: false }]),
      );
      let holders: readonly PoolHolder[] = [];
      // Claims of one holder arrive in order; grants may overtake each other.
      const claims = new Map<string, PoolClaim[]>(names.map((name) => [name, []]));
      const grants: { to: string; grant: PoolGrant }[] = [];
      const settle = (next: readonly PoolHolder[]): void => {
        const before = new Map(holders.map((one) => [one.holder, one.seq]));
        holders = withGrants(next);
        for (const one of holders) {
          if (one.seq !== (before.get(one.holder) ?? 0)) grants.push({ to: one.holder, grant: grantOf('jobs', one) });
        }
      };
      let most = 0;
      for (let turn = 0; turn < 20_000; turn += 1) {
        const name = names[pick(names.length)]!;
        const one = own.get(name)!;
        const send = (leaves: boolean): void => {
          if (one.running <= one.slots) one.confirm = false;
          const { want, running: using, seq } = one;
          claims.get(name)!.push(claim(name, { size: SIZE, want, using, seq, leaves }));
        };
        switch (pick(6)) {
          case 0:
            if (one.there && one.running < Math.min(one.slots, one.want)) one.running += 1;
            break;
          case 1:
            if (one.running > 0) one.running -= 1;
            break;
          case 2: {
            const next = claims.get(name)!.shift();
            if (next !== undefined) settle(withClaim(holders, next));
            break;
          }
          case 3: {
            const [message] = grants.splice(pick(Math.max(1, grants.length)), 1);
            if (message === undefined) break;
            const to = own.get(message.to)!;
            if (message.grant.seq > to.seq) Object.assign(to, message.grant);
            break;
          }
          case 4:
            if (one.there && one.confirm && one.running <= one.slots) send(false);
            break;
          default:
            if (pick(20) === 0 && !one.there && claims.get(name)!.length === 0) {
              Object.assign(one, { there: true, want: 1 + pick(SIZE) });
              send(false);
            } else if (one.there && pick(20) === 0) {
              one.want = pick(SIZE + 1);
              send(false);
            }
        }
        const running = [...own.values()].reduce((sum, { running: n }) => sum + n, 0);
        most = Math.max(most, running);
        expect(running).toBeLessThanOrEqual(SIZE);
      }
      expect(most).toBe(SIZE);
    },
  );
});
