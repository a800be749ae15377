import type { IngestResult } from './feature-ingest.js';
import type { UnitCounts } from './outcome.js';

/** What became of the clinical table. */
export interface ClinicalResult {
  readonly outcome: 'done' | 'reused' | 'failed' | 'absent';
  readonly code?: string;
  readonly message?: string;
  readonly rows?: number;
  readonly columns?: number;
  readonly dropped?: number;
  /** Name of the id column of `features.csv`, where it is not `Case_ID`. */
  readonly idColumn?: string;
  readonly group?: FeatureGroupResult;
}

/** A table written for one modality. */
export interface FeatureGroupResult {
  readonly group: string;
  readonly outcome: 'done' | 'reused' | 'failed';
  readonly code?: string;
  readonly message?: string;
  /** Place of the Parquet file. */
  readonly file?: string;
  readonly rows?: number;
  readonly columns?: number;
  /** What of a wide table was left out, and by which rule, for people. */
  readonly said?: string;
  /** What the feature store was sent of it, where one is used. */
  readonly ingested?: Pick<IngestResult, 'outcome' | 'records' | 'form' | 'said'> & {
    readonly featureGroups: readonly string[];
  };
}

/** The end of one modality: counts and places, never rows. */
export interface ModalityResult {
  readonly counts: UnitCounts;
  readonly featureGroups: readonly FeatureGroupResult[];
}

/** The result of a cohort workflow: counts and places, never rows. */
export interface CohortResult {
  readonly runId: string;
  readonly output: string;
  readonly cases: number;
  readonly imaging?: UnitCounts;
  readonly genomics?: UnitCounts;
  readonly clinical?: ClinicalResult;
  readonly featureGroups: readonly FeatureGroupResult[];
  readonly dataset?: FeatureGroupResult;
  readonly outcomes: string;
  readonly report?: string;
  /** What an operator should know of how it ran: a width that was lowered, a quota that nobody could read. */
  readonly notes?: readonly string[];
  /** What the machines of services cost, by list prices; absent where there were none. */
  readonly costs?: readonly string[];
  /** Everything that did not come out: units, tables, the data set, the report. */
  readonly failures: number;
}
