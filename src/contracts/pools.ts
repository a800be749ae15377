import type { PoolClaim } from './activities.js';

/** Signal by which a fan-out claims slots of a pool; the pool's workflow starts with the first one. */
export const CLAIM_SIGNAL = 'claim';
/** Signal by which the pool says how many slots a fan-out holds from now on. */
export const GRANT_SIGNAL = 'grant';
/** Query of who holds how many slots. */
export const POOL_QUERY = 'holders';

export interface PoolGrant {
  readonly pool: string;
  readonly slots: number;
  /** Number of the grant: claims name the last one their holder has seen. */
  readonly seq: number;
  /** The holder used more before: it is to claim again once it uses no more than this. */
  readonly confirm: boolean;
}

/** One fan-out in a pool. Plain JSON: it crosses continue-as-new. */
export interface PoolHolder {
  readonly holder: string;
  readonly size: number;
  readonly want: number;
  /** Slots it may use. */
  readonly granted: number;
  /** Slots it may still have in use: more than granted until it has confirmed that what ran has ended. */
  readonly using: number;
  /** Number of the last grant sent to it. */
  readonly seq: number;
}

/** Slots that are not free: granted, or still in use after a grant was lowered. */
function held({ granted, using }: PoolHolder): number {
  return Math.max(granted, using);
}

/** Slots of a pool: where its users name different sizes, the smallest. */
export function poolSize(holders: readonly PoolHolder[]): number {
  return holders.length === 0 ? 0 : Math.min(...holders.map(({ size }) => size));
}

/**
 * Divides `width` fairly: everyone gets the same, and what one cannot use goes to the others (max-min fairness). What does
 * not divide evenly goes to the first.
 *
 * @param caps the most each can use
 * @returns a share for each, of `caps` at most; their sum is `width`, or the sum of `caps` if that is less
 */
export function fairShares(width: number, caps: readonly number[]): number[] {
  const shares = caps.map(() => 0);
  let left = width;
  let open = caps.flatMap((cap, at) => (cap > 0 ? [at] : []));
  while (left > 0 && open.length > 0) {
    const each = Math.max(1, Math.floor(left / open.length));
    for (const at of open) {
      const more = Math.min(each, left, (caps[at] ?? 0) - (shares[at] ?? 0));
      shares[at] = (shares[at] ?? 0) + more;
      left -= more;
    }
    open = open.filter((at) => (shares[at] ?? 0) < (caps[at] ?? 0));
  }
  return shares;
}

/**
 * Takes a claim in. What it says of slots in use counts only if its holder has seen the last grant: before that it may
 * have begun more on the strength of an earlier one.
 */
export function withClaim(holders: readonly PoolHolder[], claim: PoolClaim): PoolHolder[] {
  const { holder, size, want, using, seq, leaves } = claim;
  const known = holders.find((one) => one.holder === holder);
  if (leaves) return holders.filter((one) => one !== known);
  if (known === undefined) return [...holders, { holder, size, want, granted: 0, using, seq }];
  const now = { ...known, size, want, ...(seq === known.seq ? { using } : {}) };
  return holders.map((one) => (one === known ? now : one));
}

/**
 * Grants anew: lower at once, higher only from slots that nobody holds any more, so that what is held never exceeds the
 * pool's size.
 */
export function withGrants(holders: readonly PoolHolder[]): PoolHolder[] {
  const size = poolSize(holders);
  const shares = fairShares(
    size,
    holders.map(({ want }) => want),
  );
  const granted = (one: PoolHolder, slots: number): PoolHolder =>
    slots === one.granted ? one : { ...one, granted: slots, using: held(one), seq: one.seq + 1 };
  const lowered = holders.map((one, at) => granted(one, Math.min(one.granted, shares[at] ?? 0)));
  let free = size - lowered.reduce((sum, one) => sum + held(one), 0);
  return lowered.map((one, at) => {
    // Slots that a holder may still use above its grant are its own to grow into.
    const own = held(one) - one.granted;
    const more = Math.min((shares[at] ?? 0) - one.granted, own + Math.max(0, free));
    if (more <= 0) return one;
    const now = { ...granted(one, one.granted + more), using: one.using };
    free -= held(now) - held(one);
    return now;
  });
}

/** What a holder is told of its grant. */
export function grantOf(pool: string, { granted, using, seq }: PoolHolder): PoolGrant {
  return { pool, slots: granted, seq, confirm: using > granted };
}
