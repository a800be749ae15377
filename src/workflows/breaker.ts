import type { BreakerTrip } from '../contracts/control.js';
import { failureKind, isFailureCode } from '../domain/failures/index.js';
import type { ChildEnd } from './children.js';

/** What is to be done about a unit that ended. */
export interface BreakerVerdict<Unit> {
  /** Units to be run again once the cohort goes on; they count as if they had not ended. */
  readonly held: readonly Unit[];
  /** Set when this end was one too many: the cohort is to pause. */
  readonly trip?: BreakerTrip;
}

/**
 * Notices that units fail one after another for a reason that is not theirs: a full disk, a missing program, a quota. One
 * more would fail as well, so the cohort pauses, someone is asked, and the units that failed so are run again after that.
 */
export class Breaker<Unit> {
  private code = '';
  private row: Unit[] = [];
  private tripped = false;

  /** @param limit failures in a row with one code of the environment that trip it */
  constructor(private readonly limit: number) {}

  /** Takes in how a unit ended. */
  note(unit: Unit, end: ChildEnd): BreakerVerdict<Unit> {
    if (end.outcome === 'cancelled') return { held: [] };
    const code = end.outcome === 'failed' ? (end.code ?? '') : '';
    // What was in flight when it tripped.
    if (this.tripped) return { held: code === this.code ? [unit] : [] };
    if (!isFailureCode(code) || failureKind(code).fault !== 'environment') {
      this.row = [];
      return { held: [] };
    }
    if (code !== this.code) this.row = [];
    this.code = code;
    this.row.push(unit);
    if (this.row.length < this.limit) return { held: [] };
    const held = this.row;
    this.row = [];
    this.tripped = true;
    return { held, trip: { code, failures: held.length, since: new Date().toISOString() } };
  }

  /** The cohort goes on: what tripped it is taken for mended. */
  close(): void {
    this.tripped = false;
  }
}
