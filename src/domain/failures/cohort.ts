import type { FailureKind } from './failure.js';

/** Failures of the cohort part. */
export const COHORT_FAILURES = {
  InvalidSheet: {
    retryable: false,
    fault: 'input',
    reason: 'The cohort sheet has faults; nothing was started.',
    remedy: 'Correct the rows that the message lists; `cohortflow validate` checks the sheet alone.',
  },
} as const satisfies Record<string, FailureKind>;
