import type { BreakerTrip } from '../contracts/control.js';
import { failureKind, isFailureCode } from '../domain/failures/index.js';
import type { ChildEnd } from './children.js';

/**
 * Notices that units fail one after another for a reason that is not theirs: a full disk, a missing program, a quota. One
 * more would fail as well, so the cohort pauses and someone is asked.
 */
export class Breaker {
  private code = '';
  private inARow = 0;

  /** @param limit failures in a row with one code of the environment that trip it */
  constructor(private readonly limit: number) {}

  /** Takes in how a unit ended; returns the trip when this one was one too many. */
  note(end: ChildEnd): BreakerTrip | undefined {
    if (end.outcome === 'cancelled') return undefined;
    const code = end.outcome === 'failed' ? (end.code ?? '') : '';
    if (!isFailureCode(code) || failureKind(code).fault !== 'environment') {
      this.reset();
      return undefined;
    }
    this.inARow = code === this.code ? this.inARow + 1 : 1;
    this.code = code;
    if (this.inARow < this.limit) return undefined;
    const trip = { code, failures: this.inARow, since: new Date().toISOString() };
    this.reset();
    return trip;
  }

  /** Forgets what it has seen. */
  reset(): void {
    this.code = '';
    this.inARow = 0;
  }
}
