import { allHandlersFinished, condition, continueAsNew } from '@temporalio/workflow';
import { endedUnits, type UnitCounts } from '../contracts/outcome.js';
import type { PartReport } from '../contracts/control.js';
import type { FanOut } from './children.js';
import { Courier } from './courier.js';
import { reportSignal } from './messages.js';
import { sliceSize, type Slice, type SliceState } from './slice-state.js';

/** A lane starts about this many units, drains and continues as new. */
export const LANE_RUN_LIMIT = 400;
const MOST_LANES = 10;
/** Children of one parent at once: past it their completions may come faster than a history takes them. */
const LANE_WIDTH = 50;
/** A lane tells its cohort each time so much of it has been dealt with. */
const REPORTED_SHARE = 0.2;

/** Input of a lane: its slice and the fan-out it belongs to. */
export interface LaneInput {
  readonly fanOut: FanOut;
  readonly slice: Slice;
  /** Units of one run of the lane; {@link LANE_RUN_LIMIT}. */
  readonly limit?: number;
  /** Share of the slice that its cohort was last told of. */
  readonly reported?: number;
  /** How often its cohort was told of failures in a row. */
  readonly rowReports?: number;
}

/**
 * Lanes of a cohort: as few as keep each one's run and width within bounds. Few wide pools come closer to the makespan of
 * a single one than many narrow ones, since a unit cannot change its lane. There may be more lanes than width: some then
 * wait, and a cohort that is widened later has them.
 */
export function laneCount(total: number, width: number): number {
  const wanted = Math.max(Math.ceil(total / LANE_RUN_LIMIT), Math.ceil(Math.min(total, width) / LANE_WIDTH));
  return Math.min(MOST_LANES, wanted);
}

/** What a lane tells its cohort. */
export class LaneReports {
  private readonly courier = new Courier();

  constructor(
    private readonly cohortId: string,
    private readonly lane: string,
  ) {}

  send(report: Omit<PartReport, 'from'>): void {
    const from = this.lane;
    this.courier.send(this.cohortId, (handle) => handle.signal(reportSignal, { from, ...report }));
  }

  /** Resolves when all of it has left. */
  told(): Promise<void> {
    return this.courier.delivered();
  }
}

/** From so many failures in a row on a lane tells its cohort, which counts them together with those of other lanes. */
const ROW_TOLD_FROM = 2;
/** A lane tells so often of them in its life: where they come and go, its cohort's history must not grow by them. */
const ROWS_TOLD = 20;

/** Tells a cohort what its breaker cannot see: failures in a row in a lane, and whether the lane holds units. */
export class RowReports {
  private known = 0;
  private holds = false;

  /** @param told how often the cohort was told of failures in a row before */
  constructor(
    private readonly state: SliceState,
    private readonly reports: LaneReports,
    public told: number,
  ) {
    // What an earlier run told goes on.
    this.known = this.length;
  }

  private get length(): number {
    const { length } = this.state.breaker.row.units;
    return length < ROW_TOLD_FROM ? 0 : length;
  }

  /** Tells what has changed. */
  look(): void {
    const { state, length } = this;
    if (state.holds !== this.holds) {
      this.holds = state.holds;
      this.reports.send({ holds: state.holds });
    }
    if (length === this.known || (length > 0 && this.told >= ROWS_TOLD)) return;
    this.known = length;
    this.told += 1;
    this.reports.send({ row: { code: state.breaker.row.code, failures: length } });
  }
}

/** Ends this run of a lane and begins the next with what is left; returns when nothing is left. */
export async function continueLane(
  input: LaneInput,
  state: SliceState,
  reports: LaneReports,
  rows: RowReports,
): Promise<void> {
  const { fanOut, slice, limit, reported = 0 } = input;
  const size = sliceSize(fanOut.total, slice.first, slice.stride);
  const { counts, at } = state.rest;
  const { lastFailures } = state;
  const failed = lastFailures.length === 0 ? {} : { lastFailures };
  if (at >= size) {
    if (lastFailures.length > 0) reports.send(failed);
    return reports.told();
  }
  const share = endedUnits(counts) / size;
  const due = share >= reported + REPORTED_SHARE;
  if (due) reports.send({ counts, ...failed });
  await condition(allHandlersFinished);
  // Also what it says because of a change that comes meanwhile: a signal given together with the end of a run is never sent.
  await reports.told();
  await continueAsNew<(next: LaneInput) => Promise<UnitCounts>>({
    fanOut,
    slice: state.rest,
    ...(limit === undefined ? {} : { limit }),
    reported: due ? share : reported,
    ...(rows.told === 0 ? {} : { rowReports: rows.told }),
  });
}
