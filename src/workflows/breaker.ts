import type { BreakerTrip } from '../contracts/control.js';
import { failureKind, isFailureCode, type FailureCode } from '../domain/failures/index.js';
import type { ChildEnd } from './children.js';

/** What is to be done about a unit that ended. */
export interface BreakerVerdict<Unit> {
  /** Units to be run again once the cohort goes on; they count as if they had not ended. */
  readonly held: readonly Unit[];
  /** Set when this end was one too many: the cohort is to pause. */
  readonly trip?: BreakerTrip;
}

/** The last units in a row that failed with one code of the environment. */
export interface BreakerRow<Unit> {
  readonly code: string;
  readonly units: readonly Unit[];
}

/**
 * Notices that units fail one after another for a reason that is not theirs: a full disk, a missing program, a quota. One
 * more would fail as well, so the cohort pauses, someone is asked, and the units that failed so are run again after that.
 */
export class Breaker<Unit> {
  private code: string;
  private units: Unit[];
  private tripped = false;

  /**
   * @param limit failures in a row with one code of the environment that trip it
   * @param row those that an earlier run of the same workflow has seen
   */
  constructor(
    private readonly limit: number,
    row?: BreakerRow<Unit>,
  ) {
    this.code = row?.code ?? '';
    this.units = [...(row?.units ?? [])];
  }

  get row(): BreakerRow<Unit> {
    return { code: this.code, units: this.units };
  }

  /** Takes in how a unit ended. */
  note(unit: Unit, end: ChildEnd): BreakerVerdict<Unit> {
    if (end.outcome === 'cancelled') return { held: [] };
    const code = end.outcome === 'failed' ? (end.code ?? '') : '';
    // What was in flight when it tripped.
    if (this.tripped) return { held: code === this.code ? [unit] : [] };
    if (!isEnvironment(code)) {
      this.units = [];
      return { held: [] };
    }
    if (code !== this.code) this.units = [];
    this.code = code;
    this.units.push(unit);
    if (this.units.length < this.limit) return { held: [] };
    const held = this.trip(code);
    return { held, trip: { code, failures: held.length, since: new Date().toISOString() } };
  }

  /** Trips, be it because units elsewhere in the cohort fail with this code; returns those of the row, to be held. */
  trip(code: FailureCode): readonly Unit[] {
    const held = this.code === code ? this.units : [];
    this.units = [];
    this.code = code;
    this.tripped = true;
    return held;
  }

  /** Someone has the units of the row run again: it must not do so too. */
  forget(): void {
    this.units = [];
  }

  /** The cohort goes on: what tripped it is taken for mended. */
  close(): void {
    this.tripped = false;
  }
}

/** True for a code that says that something around the units is wrong, which would fail the next one too. */
export function isEnvironment(code: string): code is FailureCode {
  return isFailureCode(code) && failureKind(code).fault === 'environment';
}
