import type { FailureKind } from './failure.js';

/** Failures of the clinical part. */
export const CLINICAL_FAILURES = {} as const satisfies Record<string, FailureKind>;
