import { ApplicationFailure, condition, workflowInfo } from '@temporalio/workflow';
import type { NextUnits } from '../contracts/activities.js';
import type { CohortUnit } from '../domain/cohort/manifest.js';
import { cohort } from './activities.js';
import type { FanOut } from './children.js';
import { untilMended } from './mending.js';
import { sliceSize, type Slice, type SliceState } from './slice-state.js';

/** Units asked for at once. */
const PAGE = 50;

/**
 * Hands out the units of a slice, a page at a time; those that are finished already are counted as reused and never
 * handed out. Ends early, with the slice's position telling where to go on, after `limit` units or when the server sees
 * this history grow too long.
 */
export function unitReader(
  fanOut: FanOut,
  slice: Slice,
  state: SliceState,
  limit: number,
): () => Promise<CohortUnit | undefined> {
  const { output, runId, modality, childInput, total } = fanOut;
  const { round, first, stride } = slice;
  const size = sliceSize(total, first, stride);
  const reuse = childInput['force'] === true ? {} : { reuse: childInput };
  const none: NextUnits = { units: [], reused: 0, next: slice.at };
  let page = none;
  let taken = 0;
  let handedOut = 0;

  const nextPage = async (): Promise<void> => {
    const range = { round, first, stride, from: state.at, limit: PAGE, size };
    const read = (): Promise<NextUnits> => cohort.nextUnits({ output, runId, modality, ...range, ...reuse });
    page = await untilMended(read, async (trip) => {
      state.onTrip(trip);
      await condition(() => !state.steering.current.paused);
    });
    taken = 0;
    if (page.units.length > 0 || page.next > state.at) return;
    // Asked again it would say the same, for ever.
    const message = `${modality}: no unit at ${state.at + 1} of ${size}: the pages of the run are gone or short`;
    throw ApplicationFailure.nonRetryable(message, 'FileNotFound');
  };
  return async () => {
    for (;;) {
      const item = page.units[taken];
      if (item === undefined) {
        if (page !== none) {
          state.count('reused', page.reused);
          state.at = page.next;
          page = none;
        }
        if (state.at >= size) return undefined;
      }
      if (handedOut >= limit) return undefined;
      // The server sees this history grow too long before our own count does: drain early.
      if (limit !== Infinity && workflowInfo().continueAsNewSuggested) return undefined;
      if (item === undefined) {
        await nextPage();
        continue;
      }
      taken += 1;
      handedOut += 1;
      state.count('reused', item.reused);
      state.at = item.at + 1;
      return item.unit;
    }
  };
}
