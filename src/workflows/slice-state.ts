import { unitKey, type CohortUnit } from '../domain/cohort/manifest.js';
import type { BreakerTrip, SteeringState } from '../contracts/control.js';
import type { FailureCode } from '../domain/failures/index.js';
import type { UnitCounts } from '../contracts/outcome.js';
import { Breaker, type BreakerRow } from './breaker.js';
import type { ChildEnd } from './children.js';
import { Steering } from './steering.js';

/** So many failures are told of. */
export const FAILURES_KEPT = 5;
/** A row goes on in the next run of a lane up to this length: its units travel in the input. */
const ROW_KEPT = 100;
const PASSES_PER_ROUND = 1_000_000;

/** A slice of the units of a round: every `stride`-th from `first`. */
export interface Slice {
  readonly round: number;
  readonly first: number;
  readonly stride: number;
  /** How many of them earlier runs have dealt with. */
  readonly at: number;
  readonly counts: UnitCounts;
  readonly steering: SteeringState;
  /** The failures of the environment in a row that earlier runs ended with. */
  readonly row?: BreakerRow<CohortUnit>;
  /** How often units of it were taken back to be run again. */
  readonly passes?: number;
}

/** Live state of a slice, read by the progress query and by the lane's continue-as-new. */
export class SliceState {
  counts: UnitCounts;
  at: number;
  running = 0;
  /** True once the last unit was handed out. */
  drained = false;
  readonly steering: Steering;
  lastFailures: string[] = [];
  /** Units to be run again once the slice goes on. */
  readonly held: CohortUnit[] = [];
  /** Of those that were held, how many have begun again and not ended. */
  again = 0;
  /** True once nothing more is run: what is held then would never be. */
  over = false;
  readonly breaker: Breaker<CohortUnit>;
  private passes: number;
  /** Called after every change. */
  onChange: () => void = () => undefined;
  /** Called when units fail one after another for a reason of the environment. */
  onTrip: (trip: BreakerTrip) => void = () => undefined;

  constructor(
    private readonly slice: Slice,
    pauseAfter: number,
  ) {
    this.counts = slice.counts;
    this.at = slice.at;
    this.passes = slice.passes ?? 0;
    this.breaker = new Breaker(pauseAfter, slice.row);
    this.steering = new Steering(slice.steering);
  }

  /** True while units are held, or run again, that have a failure on record: a retry of the failed ones would run them twice. */
  get holds(): boolean {
    return this.held.length + this.again > 0;
  }

  /**
   * Which pass over its units those that were held are run in. Records are kept per pass and the last one counts: what made
   * the earlier one fail must not stand beside the outcome of this one, nor keep it from being written down.
   */
  get pass(): number {
    return Number((this.slice.round + this.passes / PASSES_PER_ROUND).toFixed(6));
  }

  /** What is left of the slice, for the next run of the workflow. */
  get rest(): Slice {
    const { slice, at, counts, steering, passes } = this;
    const { code, units } = this.breaker.row;
    const { row: _row, passes: _passes, ...same } = slice;
    return {
      ...{ ...same, at, counts, steering: steering.current },
      ...(units.length === 0 ? {} : { row: { code, units: units.slice(-ROW_KEPT) } }),
      ...(passes === 0 ? {} : { passes }),
    };
  }

  /** Counts ended units. Synchronous: no await may come between reading and writing a count. */
  count(kind: Exclude<keyof UnitCounts, 'total'>, units = 1): void {
    if (units > 0) this.counts = { ...this.counts, [kind]: this.counts[kind] + units };
  }

  /** Units elsewhere in the cohort fail with this code: what failed so here is held too. */
  trip(code: FailureCode): void {
    if (!this.over) this.hold(this.breaker.trip(code));
  }

  /** Takes failed units back: they count as not ended. */
  hold(units: readonly CohortUnit[]): void {
    if (units.length === 0) return;
    // All of them have begun in an earlier pass than the one they are run again in.
    this.passes += 1;
    this.held.push(...units);
    this.counts = { ...this.counts, failed: this.counts.failed - units.length };
    this.drained = false;
  }

  /** Takes in how a unit ended. */
  note(unit: CohortUnit, end: ChildEnd): void {
    this.count(end.outcome);
    if (end.outcome !== 'failed') return;
    const line = `${unitKey(unit)}: ${end.step ?? ''} ${end.code ?? ''}`;
    this.lastFailures = [...this.lastFailures, line].slice(-FAILURES_KEPT);
  }
}

/** Number of units in a slice of `total`. */
export function sliceSize(total: number, first: number, stride: number): number {
  return first >= total ? 0 : Math.ceil((total - first) / stride);
}
