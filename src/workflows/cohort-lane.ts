import { condition, setHandler, workflowInfo } from '@temporalio/workflow';
import { checkInput, type FieldRules } from '../contracts/input-check.js';
import type { UnitCounts } from '../contracts/outcome.js';
import { orFail } from './failures.js';
import { LANE_RUN_LIMIT, LaneReports, RowReports, continueLane, type LaneInput } from './lanes.js';
import { runSlice } from './slice.js';
import { SliceState } from './slice-state.js';
import { heedParent } from './steering.js';
import { breakerSignal, progressQuery } from './messages.js';

/** Lanes are started by cohorts; by hand they are of no use, but must not hang either. */
const LANE_RULES: FieldRules = {
  fanOut: { kind: 'object', required: true, about: 'internal: what the cohort shares' },
  slice: { kind: 'object', required: true, about: 'internal: which units' },
  limit: { kind: 'count', about: 'internal: units of one run' },
  reported: { kind: 'number', about: 'internal: how much the cohort was told of' },
  rowReports: { kind: 'number', about: 'internal: how often it was told of failures in a row' },
};

/** One lane of a large cohort, or of a retry: a pool over its own slice that drains and continues as new. */
export async function cohortLane(raw: unknown): Promise<UnitCounts> {
  const input = orFail(() => checkInput<LaneInput>('cohortLane', LANE_RULES, raw));
  const { fanOut, slice, limit = LANE_RUN_LIMIT } = input;
  const state = new SliceState(slice, fanOut.pauseAfter);
  const reports = new LaneReports(fanOut.cohortId, workflowInfo().workflowId);
  const rows = new RowReports(state, reports, input.rowReports ?? 0);
  state.onChange = () => rows.look();
  heedParent(state.steering);
  heedBreaker(state);
  let before = state.steering.allowed;
  state.steering.onChange = () => {
    const { allowed } = state.steering;
    if (fanOut.pooled && allowed < before) void settle(state, allowed, reports);
    before = allowed;
  };
  state.onTrip = (tripped) => {
    state.steering.change({ paused: true });
    reports.send({ tripped });
  };
  const startedAt = new Date().toISOString();
  setHandler(progressQuery, () => {
    const { counts, running, steering, lastFailures } = state;
    const { modality } = fanOut;
    const fanOutProgress = { modality, ...counts, running, ...steering.current, retried: 0, lanes: [], lastFailures };
    return { phase: 'running', startedAt, children: [], parts: {}, fanOut: fanOutProgress };
  });
  await runSlice(fanOut, slice, state, limit);
  await continueLane(input, state, reports, rows);
  return state.counts;
}

/** The cohort's breaker tripped, or a retry has taken up what failed. */
function heedBreaker(state: SliceState): void {
  setHandler(breakerSignal, ({ code }) => {
    if (code === undefined) state.breaker.forget();
    else {
      state.steering.change({ paused: true });
      state.trip(code);
    }
    state.onChange();
  });
}

/** Says when no more runs than was asked for: only then may a shared pool give the slots to someone else. */
async function settle(state: SliceState, width: number, reports: LaneReports): Promise<void> {
  await condition(() => state.running <= width);
  reports.send({ settled: width });
}
