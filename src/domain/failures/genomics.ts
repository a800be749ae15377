import type { FailureKind } from './failure.js';

/** Failures of the genomics part. */
export const GENOMICS_FAILURES = {} as const satisfies Record<string, FailureKind>;
