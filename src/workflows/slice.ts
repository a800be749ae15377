import type { CohortUnit } from '../domain/cohort/manifest.js';
import { runChild, type FanOut } from './children.js';
import { runPool } from './pool.js';
import type { Slice, SliceState } from './slice-state.js';
import { StartRate } from './start-rate.js';
import { unitReader } from './unit-reader.js';

/** A unit that is to be run. */
interface Item {
  readonly unit: CohortUnit;
  /** True when it was held: it has failed in an earlier pass. */
  readonly again: boolean;
  /** Round, or pass within it, that its records belong to. */
  readonly round: number;
}

/**
 * Runs the units of a slice, as many at once and as fast as its steering allows, and counts how they end. Stops starting
 * after `limit` units. A failed unit is a count, never an error; only cancellation is thrown.
 */
export async function runSlice(fanOut: FanOut, slice: Slice, state: SliceState, limit: number): Promise<void> {
  const { breaker } = state;
  const rate = new StartRate(() => state.steering.current.startRate);
  const read = unitReader(fanOut, slice, state, limit);

  const next = async (): Promise<Item | undefined> => {
    // Asked only while the slice is not paused.
    breaker.close();
    const held = state.held.shift();
    const unit = held ?? (await read());
    if (unit === undefined) {
      state.drained = true;
      return undefined;
    }
    if (held !== undefined) state.again += 1;
    await rate.turn();
    return held === undefined ? { unit, again: false, round: slice.round } : { unit, again: true, round: state.pass };
  };
  const run = async ({ unit, again, round }: Item): Promise<void> => {
    state.running += 1;
    state.onChange();
    try {
      const end = await runChild(fanOut, round, unit);
      state.note(unit, end);
      const { held, trip } = breaker.note(unit, end);
      state.hold(held);
      if (trip !== undefined) state.onTrip(trip);
    } catch (error) {
      state.count('cancelled');
      throw error;
    } finally {
      state.running -= 1;
      if (again) state.again -= 1;
      state.onChange();
    }
  };
  do {
    await runPool<Item>({ next, run, width: () => state.steering.allowed });
    // The last ones of a slice may be held: it ends when they have.
  } while (state.held.length > 0);
  state.over = true;
}
