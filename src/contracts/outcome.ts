import type { FailureCode } from '../domain/failures/index.js';
import type { Modality } from './workflow-ids.js';

/** What became of one case in one step. */
export type OutcomeKind = 'done' | 'reused' | 'failed' | 'skipped' | 'cancelled';

/** One line of the ledger: what became of one unit in one step of one run. Written once, never changed. */
export interface OutcomeRecord {
  readonly caseId: string;
  readonly modality: Modality;
  /** Study or sample id where a case has several; empty otherwise. */
  readonly part: string;
  readonly step: string;
  /**
   * Which pass over the unit: 0 (or absent) the first, whole numbers above that the retries of failed units within one run.
   * Millionths count the passes of a round over units that the circuit breaker took back.
   */
  readonly round?: number;
  readonly outcome: OutcomeKind;
  /** Failure code; empty unless failed or skipped. */
  readonly code: FailureCode | '';
  /** Why the step ran (`new`, `input changed: …`) or was not run. */
  readonly why: string;
  readonly attempts: number;
  /** ISO time. */
  readonly started: string;
  readonly seconds: number;
  /** For people; holds no patient data. */
  readonly message: string;
}

/** How one unit (study or sample) ended: what its workflow returns. Small on purpose: it lands in the parent's history. */
export interface UnitResult {
  readonly outcome: 'done' | 'reused' | 'failed';
  readonly step?: string;
  readonly code?: string;
}

/** Counts of units of one modality by how they ended. */
export interface UnitCounts {
  readonly total: number;
  readonly done: number;
  readonly reused: number;
  readonly failed: number;
  readonly cancelled: number;
}

export const NO_UNITS: UnitCounts = { total: 0, done: 0, reused: 0, failed: 0, cancelled: 0 };

/** The counts of two sets of units together. */
export function addCounts(a: UnitCounts, b: UnitCounts): UnitCounts {
  return {
    total: a.total + b.total,
    done: a.done + b.done,
    reused: a.reused + b.reused,
    failed: a.failed + b.failed,
    cancelled: a.cancelled + b.cancelled,
  };
}

/** The counts of units whose workflow was lost: what it told last, and all others as lost. */
export function lostUnits(
  total: number,
  told: UnitCounts = NO_UNITS,
  as: 'failed' | 'cancelled' = 'failed',
): UnitCounts {
  return { ...told, total, [as]: told[as] + Math.max(0, total - endedUnits(told)) };
}

/** Units that have ended, however. */
export function endedUnits({ done, reused, failed, cancelled }: UnitCounts): number {
  return done + reused + failed + cancelled;
}
