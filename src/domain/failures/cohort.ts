import type { FailureKind } from './failure.js';

/** Failures of the cohort part. */
export const COHORT_FAILURES = {} as const satisfies Record<string, FailureKind>;
