import { CancellationScope } from '@temporalio/workflow';
import type { BreakerOrder, BreakerTrip, PartReport, SteeringState } from '../contracts/control.js';
import { NO_UNITS, type UnitCounts } from '../contracts/outcome.js';
import type { FanOutProgress } from '../contracts/progress.js';
import type { FailureCode } from '../domain/failures/index.js';
import type { ChildLine } from './child-line.js';
import type { FanOut } from './children.js';
import { breakerSignal } from './messages.js';
import { OWN, freshSlice, type RunnerStart } from './runner-starts.js';
import { FAILURES_KEPT, SliceState, type Slice } from './slice-state.js';
import { Runner, shareOut } from './width-shares.js';

/** What is to be done when something becomes of those who run units. */
interface Events {
  /** There are others than before: the width is to be divided anew. */
  readonly divide: () => void;
  readonly change: () => void;
  /** The cohort's own pool has seen one failure too many in a row. */
  readonly trip: (trip: BreakerTrip) => void;
  /** The run as a whole cannot go on. */
  readonly fail: (error: unknown) => void;
}

/** All who run units of a fan-out, and how theirs have ended: the cohort itself and lanes, also those that are through. */
export class Runners {
  /** The units that the cohort runs itself. */
  readonly own: SliceState;
  private readonly running = new Map<string, Runner>();
  private readonly lines = new Map<string, ChildLine>();
  private readonly counted = new Map<string, UnitCounts>();
  /** Cancelled when the run as a whole has failed. */
  private readonly scope = new CancellationScope();
  /** The last ones of all lanes. */
  private failures: readonly string[] = [];

  constructor(
    { total, pauseAfter }: FanOut,
    private readonly events: Events,
  ) {
    this.own = new SliceState(freshSlice(0, total), pauseAfter);
    this.own.onChange = events.change;
    this.own.onTrip = events.trip;
  }

  /** True when nobody runs units. */
  get none(): boolean {
    return this.running.size === 0;
  }

  /** How the units of each have ended so far. */
  get counts(): readonly UnitCounts[] {
    return [...this.counted.values(), ...(this.running.has(OWN) ? [this.own.counts] : [])];
  }

  get lanes(): FanOutProgress['lanes'] {
    const ids = [...this.running.keys()].filter((id) => id !== OWN);
    return ids.map((id) => ({ id, counts: this.counted.get(id) ?? NO_UNITS }));
  }

  get lastFailures(): readonly string[] {
    return lastOf(this.failures, this.own.lastFailures);
  }

  /** Units that may be in flight at most. */
  get using(): number {
    return [...this.running].reduce((sum, [id, { using }]) => sum + (id === OWN ? this.own.running : using), 0);
  }

  /** Units that could be in flight at most, however wide all of them ran. */
  get most(): number {
    const { drained, running } = this.own;
    const own = drained ? running : Infinity;
    return [...this.running].reduce((sum, [id, { most }]) => sum + (id === OWN ? own : most), 0);
  }

  /** True while one of them holds units that have a failure on record. */
  get hold(): boolean {
    return this.own.holds || [...this.running.values()].some(({ holds }) => holds);
  }

  /** Failures in a row with a code, of all of them together. */
  inARow(code: string): number {
    const own = this.own.breaker.row;
    return [...this.running.values()].reduce(
      (sum, { row }) => sum + (row?.code === code ? row.failures : 0),
      own.code === code ? own.units.length : 0,
    );
  }

  /** Starts some more, each with its share of the width. */
  start(some: readonly RunnerStart[]): void {
    for (const { id, slice, line } of some) {
      this.running.set(id, new Runner(slice.counts.total));
      if (line !== undefined) this.lines.set(id, line);
    }
    this.events.divide();
    for (const { id, slice, steer, run } of some) {
      const runner = this.running.get(id);
      if (runner === undefined) continue;
      runner.steer = (state) => void steer(state)?.catch(this.events.fail);
      const sliceNow = (): Slice => ({ ...slice, steering: runner.told });
      this.scope
        .run(() => run(sliceNow, () => this.counted.get(id)))
        .then((counts) => void this.counted.set(id, counts))
        .catch(this.events.fail)
        .finally(() => {
          this.running.delete(id);
          this.lines.delete(id);
          this.events.divide();
          this.events.change();
        });
    }
  }

  /** Divides what may be in flight among them. */
  share(state: SteeringState, width: number): void {
    shareOut([...this.running.values()], state, width);
  }

  /** What a lane told; false when it is not one of ours. */
  take({ from, counts, settled, tripped, row, holds, lastFailures }: PartReport): boolean {
    const runner = this.running.get(from);
    // One of the same id that an earlier run left behind speaks of that run.
    if (runner === undefined || this.lines.get(from)?.hasStarted !== true) return false;
    if (counts !== undefined) this.counted.set(from, counts);
    if (settled !== undefined) runner.settle(settled);
    if (lastFailures !== undefined) this.failures = lastOf(this.failures, lastFailures);
    if (holds !== undefined) runner.holds = holds;
    if (row !== undefined) runner.row = row;
    // The lane has paused itself.
    if (tripped !== undefined) runner.told = { ...runner.told, paused: true };
    return true;
  }

  /** Has all of them hold the units that failed with this code. */
  trip(code: FailureCode): void {
    if (this.running.has(OWN)) this.own.trip(code);
    this.tellLanes({ code });
  }

  /** What failed in a row is run again by others: held as well, it would run twice. */
  forget(): void {
    this.own.breaker.forget();
    this.tellLanes({});
  }

  cancel(): void {
    this.scope.cancel();
  }

  private tellLanes(order: BreakerOrder): void {
    // One that has not started holds nothing yet.
    for (const line of this.lines.values()) {
      line.tell((handle) => handle.signal(breakerSignal, order)).catch(this.events.fail);
    }
  }
}

function lastOf(before: readonly string[], more: readonly string[]): readonly string[] {
  return [...new Set([...before, ...more])].slice(-FAILURES_KEPT);
}
