import { isCancellation } from '@temporalio/workflow';
import type { SteeringState } from '../contracts/control.js';
import { NO_UNITS, lostUnits, type UnitCounts } from '../contracts/outcome.js';
import { laneWorkflowId } from '../contracts/workflow-ids.js';
import { ChildLine } from './child-line.js';
import { childToEnd, type FanOut } from './children.js';
import { isOwnCancellation, isReportable } from './failures.js';
import { laneCount, type LaneInput } from './lanes.js';
import { modalityAttribute } from './search-attributes.js';
import { runSlice } from './slice.js';
import { sliceSize, type Slice, type SliceState } from './slice-state.js';

/** The cohort itself among those who run its units. */
export const OWN = 'own';
const STILL = { paused: true, width: 0, startRate: 0 } as const;

/** One who is to run units. */
export interface RunnerStart {
  readonly id: string;
  readonly slice: Slice;
  /** What a lane is told by. */
  readonly line?: ChildLine;
  /** Rejects when it cannot be told. */
  readonly steer: (state: SteeringState) => Promise<void> | undefined;
  /**
   * @param slice as it is when asked
   * @param told how far it last said that it was
   */
  readonly run: (slice: () => Slice, told: () => UnitCounts | undefined) => Promise<UnitCounts>;
}

/** Every `stride`-th unit of a round, still to be run. */
export function freshSlice(round: number, total: number, first = 0, stride = 1): Slice {
  const counts = { ...NO_UNITS, total: sliceSize(total, first, stride) };
  return { round, first, stride, at: 0, counts, steering: STILL };
}

/** The cohort itself, which runs all units in a pool of its own. */
export function ownStart(fanOut: FanOut, own: SliceState): RunnerStart {
  return {
    id: OWN,
    slice: freshSlice(0, fanOut.total),
    steer: (state) => void own.steering.change(state),
    run: async (slice) => {
      const begun = slice();
      own.steering.change(begun.steering);
      await runSlice(fanOut, begun, own, Infinity);
      return own.counts;
    },
  };
}

/**
 * Lanes that divide the units of a round among them.
 *
 * @param fanOut with the number of units of the round
 */
export function laneStarts(fanOut: FanOut, round: number, width: number): readonly RunnerStart[] {
  const lanes = laneCount(fanOut.total, width);
  return Array.from({ length: lanes }, (_, lane) => {
    const line = new ChildLine();
    const id = laneWorkflowId(fanOut.cohortId, lane, round);
    return {
      ...{ id, line, slice: freshSlice(round, fanOut.total, lane, lanes) },
      steer: (state) => line.steer(state),
      run: (slice, told) => laneToEnd(fanOut, id, line, slice, told),
    };
  });
}

/**
 * Runs one lane. When it is lost as a whole the units it had not told of count as failed; the table of outcomes tells which
 * of them ended.
 */
async function laneToEnd(
  fanOut: FanOut,
  id: string,
  line: ChildLine,
  slice: () => Slice,
  told: () => UnitCounts | undefined,
): Promise<UnitCounts> {
  const { modality, searchAttributes } = fanOut;
  const attributes = searchAttributes ? { typedSearchAttributes: modalityAttribute(modality) } : {};
  try {
    const input = (): LaneInput => ({ fanOut, slice: slice() });
    const options = { staticSummary: 'a lane of the cohort', ...attributes };
    return await childToEnd<UnitCounts>('cohortLane', id, input, options, (lane) => line.started(lane));
  } catch (error) {
    if (isOwnCancellation(error) || !isReportable(error)) throw error;
    return lostUnits(slice().counts.total, told(), isCancellation(error) ? 'cancelled' : 'failed');
  }
}
