import type { FailureKind } from './failure.js';

/** Failures of the imaging part. */
export const IMAGING_FAILURES = {} as const satisfies Record<string, FailureKind>;
