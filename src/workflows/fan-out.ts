import { CancellationScope, condition, setHandler } from '@temporalio/workflow';
import {
  unitsAreHeld,
  unitsHaveEnded,
  type BreakerRowReport,
  type BreakerTrip,
  type PartReport,
  type RetryRound,
  type SteeringChange,
} from '../contracts/control.js';
import type { FanOutChoice } from '../contracts/fan-out-choice.js';
import { NO_UNITS, addCounts, type UnitCounts } from '../contracts/outcome.js';
import type { FanOutProgress } from '../contracts/progress.js';
import { CohortflowError } from '../domain/errors.js';
import type { JsonObject } from '../steps/step.js';
import { isEnvironment } from './breaker.js';
import type { FanOut } from './children.js';
import { reportSignal } from './messages.js';
import { PartReports } from './part-reports.js';
import { PoolShare } from './pool-share.js';
import { RetryRounds } from './retry-rounds.js';
import { laneStarts, ownStart } from './runner-starts.js';
import { Runners } from './runners.js';
import { Steering, heedControl } from './steering.js';

/** Up to this many units a cohort runs its pool itself; above, lanes do (a parent's history stays under 4,000 events). */
export const DIRECT_LIMIT = 400;

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
  private readonly runners: Runners;
  private readonly rounds: RetryRounds;
  private readonly reports: PartReports;
  private readonly share: PoolShare | undefined;
  private breaker: BreakerTrip | undefined;
  private failure: unknown;
  private closed = false;
  /** Called after every change. */
  onChange: () => void = () => undefined;
  /** Asked before failed units are run again, for what is known only then of what every unit's workflow is given. */
  beforeRound: (() => Promise<JsonObject>) | undefined;

  constructor(private readonly plan: FanOutPlan) {
    const { concurrency, startRate, pool, limit } = plan.choice;
    const { fanOut, only, parent } = plan;
    this.fanOut = fanOut;
    this.steering = new Steering({ paused: false, width: concurrency, startRate }, limit);
    this.steering.onChange = () => this.steered();
    this.runners = new Runners(fanOut, {
      divide: () => this.divide(),
      change: () => this.changed(),
      trip: (trip) => this.trip(trip),
      fail: (error) => this.fail(error),
    });
    this.rounds = new RetryRounds(fanOut, only, () => this.runners.forget());
    this.reports = new PartReports(parent);
    if (pool !== undefined) {
      this.share = new PoolShare(
        pool,
        fanOut.cohortId,
        () => this.wanted(),
        () => this.runners.using,
      );
      this.share.onGrant = () => this.divide();
    }
    heedControl(this.steering, fanOut.modality, () => this.refuseLate());
    this.rounds.heed(() => this.refuseRetry());
    setHandler(reportSignal, (report) => this.take(report));
  }

  /** Takes over what was said before there were units. */
  adopt(change: SteeringChange): void {
    this.steering.change(change);
  }

  /** True when failed units were to be run again after all had ended; otherwise nothing more is taken from now on. */
  goesOn(): boolean {
    this.closed = this.rounds.settled;
    return !this.closed;
  }

  progress(): FanOutProgress {
    const { breaker, share, runners } = this;
    const { note } = this.steering;
    return {
      modality: this.fanOut.modality,
      ...this.sum(),
      running: runners.own.running,
      ...this.steering.current,
      ...(note === undefined ? {} : { note }),
      ...(breaker === undefined ? {} : { breaker }),
      retried: this.rounds.retried,
      ...(share === undefined ? {} : { pool: { name: share.name, slots: share.slots } }),
      lanes: runners.lanes,
      lastFailures: runners.lastFailures,
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
    const { runners, rounds } = this;
    this.give(childInput);
    this.share?.open();
    const kept = this.share?.keep().catch((error: unknown) => this.fail(error));
    if (this.plan.only === undefined && runners.counts.length === 0) this.startMain(this.fanOut.total);
    try {
      for (;;) {
        if (rounds.due && this.beforeRound !== undefined) this.give(await this.beforeRound());
        for (const round of rounds.begin()) this.startLanes(round);
        await condition(() => this.failure !== undefined || rounds.due || this.idle);
        if (this.failure !== undefined || this.idle) break;
      }
    } catch (error) {
      this.fail(error);
    }
    await CancellationScope.nonCancellable(async () => {
      await condition(() => runners.none);
      this.share?.close();
      await kept;
      // A pool that cannot be told looks for itself who is gone: that is no reason to fail what has been done.
      await this.share?.leave().catch(() => undefined);
      this.reports.progress(this.sum(), runners.lastFailures, 0);
      await this.reports.told();
    });
    if (this.failure !== undefined) throw this.failure as Error;
    return this.sum();
  }

  private give(childInput: JsonObject): void {
    this.fanOut = { ...this.fanOut, childInput: { ...this.plan.fanOut.childInput, ...childInput } };
  }

  private get idle(): boolean {
    return this.runners.none && this.rounds.settled && this.breaker === undefined;
  }

  private startMain(total: number): void {
    if (total > DIRECT_LIMIT) this.startLanes({ round: 0, total });
    else this.runners.start([ownStart(this.fanOut, this.runners.own)]);
  }

  private startLanes({ round, total }: RetryRound): void {
    this.runners.start(laneStarts({ ...this.fanOut, total }, round, this.steering.current.width));
  }

  /** The run as a whole fails: what still runs is cancelled, since nobody may widen it any more. */
  private fail(error: unknown): void {
    this.failure ??= error;
    this.runners.cancel();
  }

  /** Divides what may be in flight among those who run units. */
  private divide(): void {
    const { current } = this.steering;
    this.runners.share(current, Math.min(current.width, this.share?.slots ?? current.width));
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
    this.runners.trip(trip.code);
  }

  /** True while units are held that have a failure on record. */
  private get holds(): boolean {
    return this.breaker !== undefined || this.runners.hold;
  }

  /** Trips when units of several lanes together fail so often in a row as would trip the breaker of one. */
  private lookAtRows({ code }: BreakerRowReport): void {
    const failures = this.runners.inARow(code);
    if (failures < this.fanOut.pauseAfter || !isEnvironment(code)) return;
    this.trip({ code, failures, since: new Date().toISOString() });
  }

  /** Slots of a shared pool that this fan-out could use now. */
  private wanted(): number {
    const { paused, width } = this.steering.current;
    if (paused || this.runners.none) return 0;
    // Towards the end less and less: told at each halving, not at each unit.
    return Math.min(width, 2 ** Math.ceil(Math.log2(Math.max(1, this.runners.most))));
  }

  /** What a lane told: how far it is, that it is as narrow as it was told to be, that its breaker tripped. */
  private take(report: PartReport): void {
    if (!this.runners.take(report)) return;
    const { row, tripped } = report;
    if (row !== undefined) this.lookAtRows(row);
    if (tripped !== undefined) this.trip(tripped);
    this.changed();
  }

  private refuseLate(): void {
    if (this.closed) throw unitsHaveEnded();
  }

  private refuseRetry(): void {
    const { fanOut, parent } = this.plan;
    this.refuseLate();
    if (parent === undefined) {
      if (this.holds) throw unitsAreHeld();
      return;
    }
    throw new CohortflowError(
      'InvalidInput',
      `${fanOut.cohortId} is a part of ${parent}: send retryFailed to ${parent}`,
    );
  }

  /** All units as they have ended so far, each once: a failure that was retried counts as what the retry came to. */
  private sum(): UnitCounts {
    const { fanOut, only, carried } = this.plan;
    const { done, reused, failed, cancelled } = this.runners.counts.reduce(addCounts, carried ?? NO_UNITS);
    const total = carried === undefined && only !== undefined ? only.total : fanOut.total;
    return { total, done, reused, failed: Math.max(0, failed - this.rounds.retried), cancelled };
  }

  private changed(): void {
    this.onChange();
    this.reports.progress(this.sum(), this.runners.lastFailures);
    this.reports.holds(this.holds);
  }
}
