import { allHandlersFinished, condition, continueAsNew, isCancellation } from '@temporalio/workflow';
import { NO_UNITS, type UnitCounts } from '../contracts/outcome.js';
import type { FanOutProgress } from '../contracts/progress.js';
import { laneWorkflowId } from '../contracts/workflow-ids.js';
import { childToEnd, type FanOut } from './children.js';
import { isOwnCancellation, isReportable } from './failures.js';
import { allEnded } from './pool.js';
import { SliceState, runSlice, sliceSize, type Slice } from './slice.js';
import { Steering, heedControl, steerChild } from './steering.js';

/** Up to this many units a cohort runs its pool itself; above, lanes do (a parent's history stays under 4,000 events). */
export const DIRECT_LIMIT = 400;
/** A lane starts about this many units, drains and continues as new. */
export const LANE_RUN_LIMIT = 400;
const MOST_LANES = 10;
/** Children of one parent at once: past it their completions may come faster than a history takes them. */
const LANE_WIDTH = 50;

/** Input of a lane: its slice and the fan-out it belongs to. */
export interface LaneInput {
  readonly fanOut: FanOut;
  readonly slice: Slice;
  /** Units of one run of the lane; {@link LANE_RUN_LIMIT}. */
  readonly limit?: number;
}

/**
 * Lanes of a cohort: as few as keep each one's run and width within bounds. Few wide pools come closer to the makespan of
 * a single one than many narrow ones, since a unit cannot change its lane.
 */
export function laneCount(total: number, width: number): number {
  const wanted = Math.max(Math.ceil(total / LANE_RUN_LIMIT), Math.ceil(width / LANE_WIDTH));
  return Math.min(MOST_LANES, width, wanted);
}

/** How a width is divided among lanes: differences of one at most. A lane may get nothing until another has ended. */
export function divideWidth(width: number, lanes: number): number[] {
  return Array.from({ length: lanes }, (_, lane) => Math.floor(width / lanes) + (lane < width % lanes ? 1 : 0));
}

/**
 * Runs all units of a fan-out: by itself up to {@link DIRECT_LIMIT}, by lanes above. Answers `pause`, `resume` and
 * `setConcurrency` meanwhile. Calls `onProgress` after every change.
 */
export async function runFanOut(
  fanOut: FanOut,
  width: number,
  onProgress: (progress: () => FanOutProgress) => void,
): Promise<UnitCounts> {
  const { total } = fanOut;
  if (total > DIRECT_LIMIT) return runLanes(fanOut, width, onProgress);
  const whole: Slice = { first: 0, stride: 1, started: 0, counts: { ...NO_UNITS, total }, width, paused: false };
  const state = new SliceState(whole);
  state.onChange = () => onProgress(() => state.progress(total));
  state.steering.onChange = state.onChange;
  heedControl(state.steering);
  state.onChange();
  await runSlice(fanOut, whole, state, Infinity);
  return state.counts;
}

/** Runs a fan-out in lanes. When a lane has ended its share of the width goes to the others. */
async function runLanes(
  fanOut: FanOut,
  width: number,
  onProgress: (progress: () => FanOutProgress) => void,
): Promise<UnitCounts> {
  const { total, cohortId } = fanOut;
  const lanes = laneCount(total, width);
  const active = new Set(Array.from({ length: lanes }, (_, lane) => lane));
  const steering = new Steering({ width, paused: false });
  let counts: UnitCounts = { ...NO_UNITS, total };
  const report = (): void =>
    onProgress(() => ({ ...counts, running: 0, ...steering.current, lanes, lastFailures: [] }));
  // What each lane was last told: a lane whose share stays is not told again.
  let told = new Map<number, string>();
  const steer = (): void => {
    report();
    const { paused, width: whole } = steering.current;
    const shares = divideWidth(whole, active.size);
    const now = new Map([...active].map((lane, at) => [lane, { paused, width: shares[at] ?? 0 }] as const));
    for (const [lane, change] of now) {
      if (told.get(lane) !== JSON.stringify(change)) void steerChild(laneWorkflowId(cohortId, lane), change);
    }
    told = new Map([...now].map(([lane, change]) => [lane, JSON.stringify(change)]));
  };
  steering.onChange = steer;
  heedControl(steering);
  report();
  await allEnded(
    divideWidth(width, lanes).map(async (laneWidth, lane) => {
      const size = { ...NO_UNITS, total: sliceSize(total, lane, lanes) };
      const slice: Slice = { first: lane, stride: lanes, started: 0, counts: size, width: laneWidth, paused: false };
      const ended = await laneToEnd(laneWorkflowId(cohortId, lane), { fanOut, slice });
      counts = addCounts(counts, ended);
      active.delete(lane);
      if (active.size > 0) steer();
      else report();
    }),
  );
  return counts;
}

/** Runs one lane. When it is lost as a whole its units count as failed; the table of outcomes tells which of them ended. */
async function laneToEnd(workflowId: string, input: LaneInput): Promise<UnitCounts> {
  try {
    return await childToEnd<UnitCounts>('cohortLane', workflowId, input, 'a lane of the cohort');
  } catch (error) {
    if (isOwnCancellation(error) || !isReportable(error)) throw error;
    const { total } = input.slice.counts;
    return isCancellation(error) ? { ...NO_UNITS, cancelled: total } : { ...NO_UNITS, failed: total };
  }
}

function addCounts(a: UnitCounts, b: UnitCounts): UnitCounts {
  return {
    total: a.total,
    done: a.done + b.done,
    reused: a.reused + b.reused,
    failed: a.failed + b.failed,
    cancelled: a.cancelled + b.cancelled,
  };
}

/** Ends this run of a lane and begins the next with what is left; returns when nothing is left. */
export async function continueLane(input: LaneInput, state: SliceState): Promise<void> {
  const { fanOut, slice, limit } = input;
  if (state.started >= sliceSize(fanOut.total, slice.first, slice.stride)) return;
  await condition(allHandlersFinished);
  const { started, counts, steering } = state;
  await continueAsNew<(next: LaneInput) => Promise<UnitCounts>>({
    fanOut,
    slice: { ...slice, started, counts, ...steering.current },
    ...(limit === undefined ? {} : { limit }),
  });
}
