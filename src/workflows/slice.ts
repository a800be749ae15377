import type { CohortUnit } from '../domain/cohort/manifest.js';
import { Breaker } from './breaker.js';
import { runChild, type FanOut } from './children.js';
import { runPool } from './pool.js';
import type { Slice, SliceState } from './slice-state.js';
import { StartRate } from './start-rate.js';
import { unitReader } from './unit-reader.js';

/**
 * Runs the units of a slice, as many at once and as fast as its steering allows, and counts how they end. Stops starting
 * after `limit` units. A failed unit is a count, never an error; only cancellation is thrown.
 */
export async function runSlice(fanOut: FanOut, slice: Slice, state: SliceState, limit: number): Promise<void> {
  const breaker = new Breaker<CohortUnit>(fanOut.pauseAfter);
  const rate = new StartRate(() => state.steering.current.startRate);
  const read = unitReader(fanOut, slice, state, limit);

  const next = async (): Promise<CohortUnit | undefined> => {
    // Asked only while the slice is not paused.
    breaker.close();
    const unit = state.held.shift() ?? (await read());
    if (unit === undefined) state.drained = true;
    else await rate.turn();
    return unit;
  };
  const run = async (unit: CohortUnit): Promise<void> => {
    state.running += 1;
    state.onChange();
    try {
      const end = await runChild(fanOut, slice.round, unit);
      state.note(unit, end);
      const { held, trip } = breaker.note(unit, end);
      state.hold(held);
      if (trip !== undefined) state.onTrip(trip);
    } catch (error) {
      state.count('cancelled');
      throw error;
    } finally {
      state.running -= 1;
      state.onChange();
    }
  };
  do {
    await runPool<CohortUnit>({ next, run, width: () => state.steering.allowed });
    // The last ones of a slice may be held: it ends when they have.
  } while (state.held.length > 0);
}
