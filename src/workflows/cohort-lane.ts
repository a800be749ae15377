import { setHandler } from '@temporalio/workflow';
import type { UnitCounts } from '../contracts/outcome.js';
import { LANE_RUN_LIMIT, SliceState, continueLane, runSlice, sliceSize, type LaneInput } from './fan-out.js';
import { progressQuery } from './messages.js';

/** One lane of a large cohort: a pool over its own interleaved slice that drains and continues as new. */
export async function cohortLane(input: LaneInput): Promise<UnitCounts> {
  const { fanOut, slice } = input;
  const state = new SliceState(slice);
  const size = sliceSize(fanOut.total, slice.first, slice.stride);
  const startedAt = new Date().toISOString();
  setHandler(progressQuery, () => ({ phase: 'running', startedAt, children: [], fanOut: state.progress(size) }));
  await runSlice(fanOut, slice, state, LANE_RUN_LIMIT);
  await continueLane(input, state);
  return state.counts;
}
