import type { FailureKind } from './failure.js';

/** Failures of the feature store and of queries over it. */
export const FEATURE_STORE_FAILURES = {
  FeatureRecordsRejected: {
    retryable: false,
    fault: 'environment',
    reason: 'The feature store did not take some records.',
    remedy: 'The message names the list of them; correct the cause and run again: only those are sent.',
  },
  FeatureNameReserved: {
    retryable: false,
    fault: 'input',
    reason: 'A column has a name that the feature store keeps for itself.',
    remedy:
      'Rename the column that the message names; `year`, `month`, `day` and `hour` also go with `aws.features.tableFormat: Iceberg`.',
  },
  FeatureGroupFailed: {
    retryable: false,
    fault: 'environment',
    reason: 'A feature group could not be made, or its offline store takes no records.',
    remedy:
      'The message has the reason that the service gives: mostly the role, the bucket or the key. Correct it; a group that could not be made is in the way until it is removed, by the command in the message.',
  },
  FeatureGroupMismatch: {
    retryable: false,
    fault: 'environment',
    reason: 'A feature group of this name exists and has other columns, or was made with other settings.',
    remedy: 'Choose another `aws.features.prefix`, or the settings that it was made with: the message names them.',
  },
  FeaturesNotVisible: {
    retryable: true,
    fault: 'environment',
    reason: 'Records that were ingested cannot be seen in the offline store yet.',
    remedy:
      'The store writes within 15 minutes: ask again later. If it goes on, look at the state of the feature group that the message names.',
  },
  FeaturesNotIngested: {
    retryable: false,
    fault: 'input',
    reason: 'A data set was asked of the feature store, and the run has not put its features there.',
    remedy: 'Run the cohort with `--feature-store sagemaker`, or take `--engine duckdb`.',
  },
  FeaturesReplaced: {
    retryable: false,
    fault: 'input',
    reason: 'Records of a wide table, which lies in a file that the store points to, were replaced by a later run.',
    remedy: 'Make the data set of the later run, or take `--engine duckdb`, or `--as-of` a time before it.',
  },
  QueryFailed: {
    retryable: false,
    fault: 'environment',
    reason: 'A query over the feature groups failed.',
    remedy:
      'The message has what the engine says; look at the permissions, the place of results and the files it names.',
  },
} as const satisfies Record<string, FailureKind>;
