import { workflowInfo } from '@temporalio/workflow';
import { unitKey, type CohortUnit } from '../domain/cohort/manifest.js';
import type { UnitCounts } from '../contracts/outcome.js';
import type { FanOutProgress } from '../contracts/progress.js';
import { quick } from './activities.js';
import { runChild, type FanOut } from './children.js';
import { runPool } from './pool.js';
import { Steering } from './steering.js';

/** Units asked for at once. */
const PAGE = 50;
const FAILURES_KEPT = 5;

/** A slice of the units: every `stride`-th from `first`; `started` of them were started by earlier runs. */
export interface Slice {
  readonly first: number;
  readonly stride: number;
  readonly started: number;
  readonly counts: UnitCounts;
  readonly width: number;
  readonly paused: boolean;
}

/** Live state of a slice, read by the progress query and by the lane's continue-as-new. */
export class SliceState {
  counts: UnitCounts;
  started: number;
  running = 0;
  readonly steering: Steering;
  lastFailures: string[] = [];
  /** Called after every change. */
  onChange: () => void = () => undefined;

  constructor(slice: Slice) {
    this.counts = slice.counts;
    this.started = slice.started;
    this.steering = new Steering({ width: slice.width, paused: slice.paused });
  }

  /** Counts one ended unit. Synchronous: no await may come between reading and writing a count. */
  count(kind: Exclude<keyof UnitCounts, 'total'>): void {
    this.counts = { ...this.counts, [kind]: this.counts[kind] + 1 };
  }

  progress(total: number): FanOutProgress {
    const { counts, running, lastFailures } = this;
    return { ...counts, total, running, ...this.steering.current, lanes: 0, lastFailures };
  }
}

/** Number of units in a slice of `total`. */
export function sliceSize(total: number, first: number, stride: number): number {
  return first >= total ? 0 : Math.ceil((total - first) / stride);
}

/** Hands out the units of a slice, a page at a time. */
function unitReader(
  fanOut: FanOut,
  slice: Slice,
  state: SliceState,
  limit: number,
): () => Promise<CohortUnit | undefined> {
  const { output, runId, modality, total } = fanOut;
  const size = sliceSize(total, slice.first, slice.stride);
  const page: CohortUnit[] = [];
  return async () => {
    if (state.started >= size || state.started - slice.started >= limit) return undefined;
    // The server sees this history grow too long before our own count does: drain early.
    if (limit !== Infinity && workflowInfo().continueAsNewSuggested) return undefined;
    if (page.length === 0) {
      const offset = slice.first + state.started * slice.stride;
      page.push(...(await quick.loadUnits({ output, runId, modality, offset, stride: slice.stride, limit: PAGE })));
    }
    state.started += 1;
    return page.shift();
  };
}

/**
 * Runs the units of a slice, `state.width` at once, and counts how they end. Stops starting after `limit` units. A failed
 * unit is a count, never an error; only cancellation is thrown.
 */
export async function runSlice(fanOut: FanOut, slice: Slice, state: SliceState, limit: number): Promise<void> {
  await runPool<CohortUnit>({
    next: unitReader(fanOut, slice, state, limit),
    width: () => state.steering.allowed,
    run: async (unit) => {
      state.running += 1;
      state.onChange();
      try {
        const result = await runChild(fanOut, unit);
        state.count(result.outcome);
        if (result.outcome === 'failed') {
          const line = `${unitKey(unit)}: ${result.step ?? ''} ${result.code ?? ''}`;
          state.lastFailures = [...state.lastFailures, line].slice(-FAILURES_KEPT);
        }
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
