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
  const breaker = new Breaker(fanOut.pauseAfter);
  const rate = new StartRate(() => state.steering.current.startRate);
  const read = unitReader(fanOut, slice, state, limit);
  await runPool<CohortUnit>({
    next: async () => {
      const unit = await read();
      if (unit === undefined) state.drained = true;
      else await rate.turn();
      return unit;
    },
    width: () => state.steering.allowed,
    run: async (unit) => {
      state.running += 1;
      state.onChange();
      try {
        const end = await runChild(fanOut, slice.round, unit);
        state.note(unit, end);
        const trip = breaker.note(end);
        if (trip !== undefined) state.onTrip(trip);
      } catch (error) {
        state.count('cancelled');
        throw error;
      } finally {
        state.running -= 1;
        state.onChange();
      }
    },
  });
}
