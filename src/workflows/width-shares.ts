import { fairShares } from '../contracts/pools.js';
import type { BreakerRowReport, SteeringState } from '../contracts/control.js';

function allowed({ paused, width }: SteeringState): number {
  return paused ? 0 : width;
}

function same(a: SteeringState, b: SteeringState): boolean {
  return a.paused === b.paused && a.width === b.width && a.startRate === b.startRate;
}

/** One who runs units of a fan-out: the cohort's own pool, or a lane. */
export class Runner {
  /** What it was last told; one whose share stays is not told again. */
  told: SteeringState = { paused: true, width: 0, startRate: 0 };
  /** Makes it run as wide and as fast as this from now on; before it has started nobody needs to be told. */
  steer: (state: SteeringState) => void = () => undefined;
  /** Units it may still have in flight: more than it was told until what runs above that has ended. */
  using = 0;
  /** What it last told of failures in a row. */
  row: BreakerRowReport | undefined;
  /** True while it holds units that are to be run again. */
  holds = false;

  /** @param most units it can have in flight at all */
  constructor(readonly most: number) {}

  tell(state: SteeringState): void {
    if (same(this.told, state)) return;
    this.told = state;
    this.using = Math.max(this.using, allowed(state));
    this.steer(state);
  }

  /** It has said that it runs no more than `width` units. */
  settle(width: number): void {
    this.using = Math.max(width, allowed(this.told));
  }
}

/**
 * Divides width and start rate of a fan-out among its runners and tells those whose share has changed.
 *
 * @param width units at once of all together
 */
export function shareOut(runners: readonly Runner[], state: SteeringState, width: number): void {
  const shares = fairShares(
    width,
    runners.map(({ most }) => most),
  );
  const sum = shares.reduce((total, share) => total + share, 0);
  runners.forEach((runner, at) => {
    const share = shares[at] ?? 0;
    const startRate = sum === 0 ? state.startRate : (state.startRate * share) / sum;
    runner.tell({ paused: state.paused, width: share, startRate });
  });
}
