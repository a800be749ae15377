import { CancellationScope, condition, isCancellation, setHandler, workflowInfo } from '@temporalio/workflow';
import {
  checkRetryRequest,
  unitsAreHeld,
  unitsHaveEnded,
  type BreakerOrder,
  type BreakerRowReport,
  type BreakerTrip,
  type PartReport,
  type RetryAnswer,
  type RetryRequest,
  type RetryRound,
  type SteeringChange,
  type SteeringState,
} from '../contracts/control.js';
import type { FanOutChoice } from '../contracts/fan-out-choice.js';
import { NO_UNITS, addCounts, endedUnits, lostUnits, type UnitCounts } from '../contracts/outcome.js';
import type { FanOutProgress } from '../contracts/progress.js';
import { laneWorkflowId } from '../contracts/workflow-ids.js';
import { CohortflowError } from '../domain/errors.js';
import type { JsonObject } from '../steps/step.js';
import { cohortFiles } from './activities.js';
import { isEnvironment } from './breaker.js';
import { ChildLine } from './child-line.js';
import { childToEnd, type FanOut } from './children.js';
import { Courier } from './courier.js';
import { isOwnCancellation, isReportable, orFail } from './failures.js';
import { laneCount, type LaneInput } from './lanes.js';
import { breakerSignal, reportSignal, retryFailedUpdate, retryRoundSignal } from './messages.js';
import { PoolShare } from './pool-share.js';
import { modalityAttribute } from './search-attributes.js';
import { runSlice } from './slice.js';
import { FAILURES_KEPT, SliceState, sliceSize, type Slice } from './slice-state.js';
import { Steering, heedControl } from './steering.js';
import { Runner, shareOut } from './width-shares.js';

/** Up to this many units a cohort runs its pool itself; above, lanes do (a parent's history stays under 4,000 events). */
export const DIRECT_LIMIT = 400;
const OWN = 'own';
const STILL = { paused: true, width: 0, startRate: 0 } as const;
/** A part tells its parent each time so much of it has been dealt with. */
const REPORTED_SHARE = 0.05;

/** One who is to run units. */
interface Start {
  readonly id: string;
  readonly slice: Slice;
  readonly steer: (state: SteeringState) => void;
  /** @param slice as it is when asked */
  readonly run: (slice: () => Slice) => Promise<UnitCounts>;
}

/** What a fan-out is given besides how its units are run. */
export interface FanOutPlan {
  readonly fanOut: FanOut;
  readonly choice: FanOutChoice;
  /** Only these units, which failed before; all units when absent. */
  readonly only?: RetryRound;
  /** What units count as that are not run this time: those of the run that a retry takes up. */
  readonly carried?: UnitCounts;
  /** Id of the workflow that started this one, which steers it and chooses what is retried. */
  readonly parent?: string;
}

/**
 * Runs the units of one modality: by itself up to {@link DIRECT_LIMIT}, in lanes above, retries of failed units in lanes
 * too. Its width is divided among all who run units at the time. Answers the updates meanwhile; pauses itself when the
 * environment fails one unit after another.
 */
export class FanOutRun {
  private fanOut: FanOut;
  private readonly steering: Steering;
  private readonly courier = new Courier();
  private readonly runners = new Map<string, Runner>();
  private readonly lines = new Map<string, ChildLine>();
  private readonly counts = new Map<string, UnitCounts>();
  private readonly own: SliceState;
  /** All who run units: cancelled when the run as a whole has failed. */
  private readonly scope = new CancellationScope();
  private readonly share: PoolShare | undefined;
  private breaker: BreakerTrip | undefined;
  private retried = 0;
  private rounds: RetryRound[] = [];
  private lastRound: number;
  private choosing = 0;
  private failure: unknown;
  /** The last ones of all lanes. */
  private failures: readonly string[] = [];
  private reported = 0;
  private toldHolds = false;
  private closed = false;
  /** Called after every change. */
  onChange: () => void = () => undefined;
  /** Asked before failed units are run again, for what is known only then of what every unit's workflow is given. */
  beforeRound: (() => Promise<JsonObject>) | undefined;

  constructor(private readonly plan: FanOutPlan) {
    const { concurrency, startRate, pool, limit } = plan.choice;
    const { fanOut, only, carried } = plan;
    this.fanOut = fanOut;
    this.steering = new Steering({ paused: false, width: concurrency, startRate }, limit);
    this.steering.onChange = () => this.steered();
    this.lastRound = only?.round ?? 0;
    if (carried !== undefined) this.counts.set('carried', carried);
    if (only !== undefined) this.rounds.push(only);
    this.own = new SliceState(this.slice({ round: 0, total: fanOut.total }, 0, 1), fanOut.pauseAfter);
    this.own.onChange = () => this.changed();
    this.own.onTrip = (trip) => this.trip(trip);
    if (pool !== undefined) {
      this.share = new PoolShare(
        pool,
        fanOut.cohortId,
        () => this.wanted(),
        () => this.using(),
      );
      this.share.onGrant = () => this.divide();
    }
    heedControl(this.steering, fanOut.modality, () => {
      if (this.closed) throw unitsHaveEnded();
    });
    this.heedRetries();
    setHandler(reportSignal, (report) => this.take(report));
  }

  /** Takes over what was said before there were units. */
  adopt(change: SteeringChange): void {
    this.steering.change(change);
  }

  /** True when failed units were to be run again after all had ended; otherwise nothing more is taken from now on. */
  goesOn(): boolean {
    this.closed = this.rounds.length === 0 && this.choosing === 0;
    return !this.closed;
  }

  progress(): FanOutProgress {
    const { breaker, share, retried } = this;
    const { note } = this.steering;
    return {
      modality: this.fanOut.modality,
      ...this.sum(),
      running: this.own.running,
      ...this.steering.current,
      ...(note === undefined ? {} : { note }),
      ...(breaker === undefined ? {} : { breaker }),
      retried,
      ...(share === undefined ? {} : { pool: { name: share.name, slots: share.slots } }),
      lanes: [...this.runners.keys()]
        .filter((id) => id !== OWN)
        .map((id) => ({ id, counts: this.counts.get(id) ?? NO_UNITS })),
      lastFailures: this.lastFailures,
    };
  }

  /** Pauses as the breaker does because work for all units failed; resolves when someone said to go on. */
  async mended(trip: BreakerTrip): Promise<void> {
    this.trip(trip);
    await condition(() => this.breaker === undefined);
  }

  /**
   * Runs what there is to run; returns how all units have ended so far. Throws only cancellation.
   *
   * @param childInput what is known only now of what every unit's workflow is given
   */
  async run(childInput: JsonObject = {}): Promise<UnitCounts> {
    const { only } = this.plan;
    this.give(childInput);
    this.share?.open();
    const kept = this.share?.keep().catch((error: unknown) => this.fail(error));
    if (only === undefined && this.counts.size === 0) this.startMain(this.fanOut.total);
    try {
      for (;;) {
        if (this.rounds.length > 0 && this.beforeRound !== undefined) this.give(await this.beforeRound());
        for (const round of this.rounds.splice(0)) this.startRound(round);
        await condition(() => this.failure !== undefined || this.rounds.length > 0 || this.idle);
        if (this.failure !== undefined || (this.idle && this.rounds.length === 0)) break;
      }
    } catch (error) {
      this.fail(error);
    }
    await CancellationScope.nonCancellable(async () => {
      await condition(() => this.runners.size === 0);
      this.share?.close();
      await kept;
      // A pool that cannot be told looks for itself who is gone: that is no reason to fail what has been done.
      await this.share?.leave().catch(() => undefined);
      this.report(0);
      await this.courier.delivered();
    });
    if (this.failure !== undefined) throw this.failure as Error;
    return this.sum();
  }

  private give(childInput: JsonObject): void {
    this.fanOut = { ...this.fanOut, childInput: { ...this.plan.fanOut.childInput, ...childInput } };
  }

  private get idle(): boolean {
    return this.runners.size === 0 && this.choosing === 0 && this.breaker === undefined;
  }

  private startMain(total: number): void {
    if (total > DIRECT_LIMIT) {
      this.startLanes({ round: 0, total });
      return;
    }
    const { own } = this;
    const steer = (state: SteeringState): void => void own.steering.change(state);
    const run = async (slice: () => Slice): Promise<UnitCounts> => {
      await runSlice(this.fanOut, slice(), own, Infinity);
      return own.counts;
    };
    this.start([{ id: OWN, slice: this.slice({ round: 0, total }, 0, 1), steer, run }]);
  }

  private startRound(round: RetryRound): void {
    this.retried += this.plan.only === round ? 0 : round.total;
    this.startLanes(round);
  }

  private startLanes(round: RetryRound): void {
    const fanOut = { ...this.fanOut, total: round.total };
    const lanes = laneCount(round.total, this.steering.current.width);
    this.start(
      Array.from({ length: lanes }, (_, lane) => {
        const id = laneWorkflowId(fanOut.cohortId, lane, round.round);
        const line = new ChildLine();
        this.lines.set(id, line);
        const steer = (state: SteeringState): void =>
          void line.steer(state).catch((error: unknown) => this.fail(error));
        const run = (slice: () => Slice): Promise<UnitCounts> =>
          this.laneToEnd(id, () => ({ fanOut, slice: slice() }), line);
        return { id, slice: this.slice(round, lane, lanes), steer, run };
      }),
    );
  }

  private slice(round: RetryRound, first: number, stride: number): Slice {
    const counts = { ...NO_UNITS, total: sliceSize(round.total, first, stride) };
    return { round: round.round, first, stride, at: 0, counts, steering: STILL };
  }

  /** Starts some who run units, each with its share of the width. */
  private start(some: readonly Start[]): void {
    for (const { id, slice } of some) this.runners.set(id, new Runner(slice.counts.total));
    this.divide();
    for (const { id, slice, steer, run } of some) {
      const runner = this.runners.get(id);
      if (runner === undefined) continue;
      if (id === OWN) this.own.steering.change(runner.told);
      runner.steer = steer;
      this.scope
        .run(() => run(() => ({ ...slice, steering: runner.told })))
        .then((counts) => void this.counts.set(id, counts))
        .catch((error: unknown) => this.fail(error))
        .finally(() => {
          this.runners.delete(id);
          this.lines.delete(id);
          this.divide();
          this.changed();
        });
    }
  }

  /** Runs one lane. When it is lost as a whole the units it had not told of count as failed; the table of outcomes tells which of them ended. */
  private async laneToEnd(id: string, input: () => LaneInput, line: ChildLine): Promise<UnitCounts> {
    const { modality, searchAttributes } = this.fanOut;
    const attributes = searchAttributes ? { typedSearchAttributes: modalityAttribute(modality) } : {};
    try {
      const options = { staticSummary: 'a lane of the cohort', ...attributes };
      return await childToEnd<UnitCounts>('cohortLane', id, input, options, (lane) => line.started(lane));
    } catch (error) {
      if (isOwnCancellation(error) || !isReportable(error)) throw error;
      const { total } = input().slice.counts;
      return lostUnits(total, this.counts.get(id), isCancellation(error) ? 'cancelled' : 'failed');
    }
  }

  /** The run as a whole fails: what still runs is cancelled, since nobody may widen it any more. */
  private fail(error: unknown): void {
    this.failure ??= error;
    this.scope.cancel();
  }

  /** Divides what may be in flight among those who run units. */
  private divide(): void {
    const { current } = this.steering;
    const width = Math.min(current.width, this.share?.slots ?? current.width);
    shareOut([...this.runners.values()], current, width);
  }

  private steered(): void {
    // Someone said to go on: what tripped the breaker is taken for mended.
    if (!this.steering.current.paused) this.breaker = undefined;
    this.divide();
    this.changed();
  }

  private trip(trip: BreakerTrip): void {
    if (this.breaker !== undefined) return;
    this.breaker = trip;
    this.steering.change({ paused: true });
    // Those that failed so elsewhere are held too, and what is in flight there.
    if (this.runners.has(OWN)) this.own.trip(trip.code);
    this.tellLanes({ code: trip.code });
  }

  private tellLanes(order: BreakerOrder): void {
    // One that has not started holds nothing yet.
    for (const line of this.lines.values()) {
      line.tell((handle) => handle.signal(breakerSignal, order)).catch((error: unknown) => this.fail(error));
    }
  }

  /** True while units are held that have a failure on record. */
  private get holds(): boolean {
    return this.breaker !== undefined || this.own.holds || [...this.runners.values()].some(({ holds }) => holds);
  }

  /** Trips when units of several lanes together fail so often in a row as would trip the breaker of one. */
  private lookAtRows({ code }: BreakerRowReport): void {
    const own = this.own.breaker.row;
    const failures = [...this.runners.values()].reduce(
      (sum, { row }) => sum + (row?.code === code ? row.failures : 0),
      own.code === code ? own.units.length : 0,
    );
    if (failures < this.fanOut.pauseAfter || !isEnvironment(code)) return;
    this.trip({ code, failures, since: new Date().toISOString() });
  }

  /** Slots of a shared pool that this fan-out could use now. */
  private wanted(): number {
    const { paused, width } = this.steering.current;
    if (paused || this.runners.size === 0) return 0;
    // Towards the end less and less: told at each halving, not at each unit.
    const left = [...this.runners].reduce((sum, [id, { most }]) => sum + (id === OWN ? this.ownLeft() : most), 0);
    return Math.min(width, 2 ** Math.ceil(Math.log2(Math.max(1, left))));
  }

  private ownLeft(): number {
    return this.own.drained ? this.own.running : Infinity;
  }

  private using(): number {
    return [...this.runners].reduce((sum, [id, { using }]) => sum + (id === OWN ? this.own.running : using), 0);
  }

  private get lastFailures(): readonly string[] {
    return [...new Set([...this.failures, ...this.own.lastFailures])].slice(-FAILURES_KEPT);
  }

  /** What a lane told: how far it is, that it is as narrow as it was told to be, that its breaker tripped. */
  private take({ from, counts, settled, tripped, row, holds, lastFailures }: PartReport): void {
    const runner = this.runners.get(from);
    // One of the same id that an earlier run left behind speaks of that run.
    if (runner === undefined || this.lines.get(from)?.hasStarted !== true) return;
    if (counts !== undefined) this.counts.set(from, counts);
    if (settled !== undefined) runner.settle(settled);
    if (lastFailures !== undefined)
      this.failures = [...new Set([...this.failures, ...lastFailures])].slice(-FAILURES_KEPT);
    if (holds !== undefined) runner.holds = holds;
    if (row !== undefined) {
      runner.row = row;
      this.lookAtRows(row);
    }
    if (tripped !== undefined) {
      // The lane has paused itself.
      runner.told = { ...runner.told, paused: true };
      this.trip(tripped);
    }
    this.changed();
  }

  private heedRetries(): void {
    const { fanOut, parent } = this.plan;
    setHandler(retryRoundSignal, (round) => this.takeRound(round));
    setHandler(retryFailedUpdate, (request: RetryRequest | undefined) => this.retry(request ?? {}), {
      validator: (request) =>
        orFail(() => {
          checkRetryRequest(request);
          if (this.closed) throw unitsHaveEnded();
          if (parent === undefined) {
            if (this.holds) throw unitsAreHeld();
            return;
          }
          throw new CohortflowError(
            'InvalidInput',
            `${fanOut.cohortId} is a part of ${parent}: send retryFailed to ${parent}`,
          );
        }),
    });
  }

  private takeRound(round: RetryRound): void {
    // What failed in a row may be among them: held as well, it would run twice.
    this.own.breaker.forget();
    this.tellLanes({});
    this.rounds.push(round);
  }

  private async retry(choice: RetryRequest): Promise<RetryAnswer> {
    const { output, runId, modality } = this.plan.fanOut;
    this.lastRound += 1;
    const round = this.lastRound;
    this.choosing += 1;
    try {
      const { total } = await cohortFiles.selectFailed({ output, runId, modality, round, choice });
      if (total > 0) this.takeRound({ round, total });
      return { [modality]: total };
    } finally {
      this.choosing -= 1;
    }
  }

  /** All units as they have ended so far, each once: a failure that was retried counts as what the retry came to. */
  private sum(): UnitCounts {
    const own = this.runners.has(OWN) ? [this.own.counts] : [];
    const { done, reused, failed, cancelled } = [...this.counts.values(), ...own].reduce(addCounts, NO_UNITS);
    const { fanOut, only, carried } = this.plan;
    const total = carried === undefined && only !== undefined ? only.total : fanOut.total;
    return { total, done, reused, failed: Math.max(0, failed - this.retried), cancelled };
  }

  private changed(): void {
    this.onChange();
    this.report(REPORTED_SHARE);
    const { parent } = this.plan;
    const { holds } = this;
    if (parent === undefined || holds === this.toldHolds) return;
    this.toldHolds = holds;
    const from = workflowInfo().workflowId;
    this.courier.send(parent, (handle) => handle.signal(reportSignal, { from, holds }));
  }

  /** Tells the parent how far this is, when at least so much more of it has been dealt with. */
  private report(atLeast: number): void {
    const { parent } = this.plan;
    if (parent === undefined) return;
    const counts = this.sum();
    const share = endedUnits(counts) / Math.max(1, counts.total);
    if (share < this.reported + atLeast || share === this.reported) return;
    this.reported = share;
    const { lastFailures } = this;
    const failed = lastFailures.length === 0 ? {} : { lastFailures };
    const from = workflowInfo().workflowId;
    this.courier.send(parent, (handle) => handle.signal(reportSignal, { from, counts, ...failed }));
  }
}
