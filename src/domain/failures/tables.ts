import type { FailureKind } from './failure.js';

/** Failures of feature groups and the data set. */
export const TABLE_FAILURES = {
  FeatureNameCollision: {
    retryable: false,
    fault: 'data',
    reason: 'Two columns have the same name once characters that a feature store refuses are replaced.',
    remedy: 'Rename one of the columns that the message names.',
  },
  GeneNotFound: {
    retryable: false,
    fault: 'input',
    reason: 'A gene that was asked for is not in the expression matrix.',
    remedy: 'Use gene ids as expression-tpm.csv writes them.',
  },
} as const satisfies Record<string, FailureKind>;
