import { setHandler } from '@temporalio/workflow';
import { checkInput, type FieldRules } from '../contracts/input-check.js';
import type { UnitCounts } from '../contracts/outcome.js';
import { orFail } from './failures.js';
import { LANE_RUN_LIMIT, continueLane, type LaneInput } from './fan-out.js';
import { SliceState, runSlice, sliceSize } from './slice.js';
import { heedParent } from './steering.js';
import { progressQuery } from './messages.js';

/** Lanes are started by cohorts; by hand they are of no use, but must not hang either. */
const LANE_RULES: FieldRules = {
  fanOut: { kind: 'object', required: true, about: 'internal: what the cohort shares' },
  slice: { kind: 'object', required: true, about: 'internal: which units' },
  limit: { kind: 'count', about: 'internal: units of one run' },
};

/** One lane of a large cohort: a pool over its own interleaved slice that drains and continues as new. */
export async function cohortLane(raw: unknown): Promise<UnitCounts> {
  const input = orFail(() => checkInput<LaneInput>('cohortLane', LANE_RULES, raw));
  const { fanOut, slice, limit = LANE_RUN_LIMIT } = input;
  const state = new SliceState(slice);
  heedParent(state.steering);
  const size = sliceSize(fanOut.total, slice.first, slice.stride);
  const startedAt = new Date().toISOString();
  setHandler(progressQuery, () => ({ phase: 'running', startedAt, children: [], fanOut: state.progress(size) }));
  await runSlice(fanOut, slice, state, limit);
  await continueLane(input, state);
  return state.counts;
}
