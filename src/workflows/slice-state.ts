import { unitKey, type CohortUnit } from '../domain/cohort/manifest.js';
import type { BreakerTrip, SteeringState } from '../contracts/control.js';
import type { UnitCounts } from '../contracts/outcome.js';
import type { ChildEnd } from './children.js';
import { Steering } from './steering.js';

const FAILURES_KEPT = 5;

/** A slice of the units of a round: every `stride`-th from `first`. */
export interface Slice {
  readonly round: number;
  readonly first: number;
  readonly stride: number;
  /** How many of them earlier runs have dealt with. */
  readonly at: number;
  readonly counts: UnitCounts;
  readonly steering: SteeringState;
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
  /** Called after every change. */
  onChange: () => void = () => undefined;
  /** Called when units fail one after another for a reason of the environment. */
  onTrip: (trip: BreakerTrip) => void = () => undefined;

  constructor(slice: Slice) {
    this.counts = slice.counts;
    this.at = slice.at;
    this.steering = new Steering(slice.steering);
  }

  /** Counts ended units. Synchronous: no await may come between reading and writing a count. */
  count(kind: Exclude<keyof UnitCounts, 'total'>, units = 1): void {
    if (units > 0) this.counts = { ...this.counts, [kind]: this.counts[kind] + units };
  }

  /** Takes failed units back: they count as not ended. */
  hold(units: readonly CohortUnit[]): void {
    this.held.push(...units);
    this.counts = { ...this.counts, failed: this.counts.failed - units.length };
    if (units.length > 0) this.drained = false;
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
