import { FAILURES, type FailureCode } from './failures/index.js';

/**
 * The one error type of the product: every failure that a person may have to act on carries a code of the catalogue
 * ({@link FAILURES}). Anything else that is thrown is a bug and is reported as `InternalError`.
 *
 * `message` says what was found, where (file name, row, tag) and what to do. It must never hold a patient's name, a date,
 * a DICOM UID or a clinical value: messages travel into logs, histories and the outcome table.
 */
export class CohortflowError extends Error {
  override readonly name = 'CohortflowError';
  readonly code: FailureCode;
  /** Plain JSON facts for programs (counts, measured deviations, candidate names); the same privacy rule as `message`. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: FailureCode, message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }

  /** True when trying the same thing again may succeed (I/O, throttling), false for faults of the data or the request. */
  get retryable(): boolean {
    return FAILURES[this.code].retryable;
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What a failure looks like in JSON: `--json` output, child process replies, outcome records. */
export interface FailureJson {
  readonly code: FailureCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Turns anything thrown into a coded failure; an unknown error becomes `InternalError`. */
export function toFailure(error: unknown): FailureJson {
  if (error instanceof CohortflowError) return { code: error.code, message: error.message, details: error.details };
  return { code: 'InternalError', message: messageOf(error), details: {} };
}
