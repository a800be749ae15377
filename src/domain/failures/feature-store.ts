import type { FailureKind } from './failure.js';

/** Failures of the feature store and of queries over it. */
export const FEATURE_STORE_FAILURES = {
  FeatureRecordsRejected: {
    retryable: false,
    fault: 'environment',
    reason: 'The feature store did not take some records.',
    remedy: 'The message names the list of them; correct the cause and run again: only those are sent.',
  },
} as const satisfies Record<string, FailureKind>;
