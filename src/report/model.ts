import type { RunCosts } from '../domain/costs/index.js';
import type { FailureKind } from '../domain/failures/index.js';
import type { SampleQuality } from '../domain/genomics/sample-quality.js';

/** One row of the outcomes table. */
export interface ReportOutcome {
  readonly caseId: string;
  readonly modality: string;
  readonly part: string;
  readonly step: string;
  readonly outcome: string;
  readonly code: string;
  readonly why: string;
  readonly attempts: number;
  readonly seconds: number;
  readonly message: string;
}

/** A failed unit with what its code means. */
export interface ReportFailure extends ReportOutcome {
  readonly kind?: FailureKind;
}

/** One case in all modalities. */
export interface ReportCase {
  readonly caseId: string;
  /** Status and reason per modality, as the data set has them. */
  readonly statuses: Readonly<Record<string, { readonly status: string; readonly reason: string }>>;
  /** Data URI of the overlay; absent beyond the cap or where there is none. */
  readonly picture?: string;
}

/** A distribution of one feature over the cohort. */
export interface ReportDistribution {
  readonly name: string;
  readonly values: readonly number[];
}

/** How a sample's quantification went, of quant.json. */
export interface ReportSample {
  readonly caseId: string;
  readonly part: string;
  readonly quality: SampleQuality;
  readonly warnings: readonly string[];
  /** Of the step in this run, where it ran; what a service did is in the quality. */
  readonly stepSeconds: number | null;
}

/** What a plan said that an executor would cost. */
export interface PlannedCost {
  /** ISO time. */
  readonly plannedAt: string;
  readonly executor: string;
  readonly units: number;
  /** Null where the machine had no price. */
  readonly dollars: number | null;
}

/** A table of a JSON report shown as it is. */
export interface ReportTable {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Rows left out beyond the cap. */
  readonly more: number;
}

/** Everything the report shows; plain JSON. */
export interface ReportModel {
  readonly runId: string;
  readonly state: string;
  readonly startedAt: string;
  /** When its data set was joined; the end of a run that did not get there. */
  readonly joinedAt: string;
  readonly counts: readonly { readonly modality: string; readonly counts: Readonly<Record<string, number>> }[];
  /** The first of them. */
  readonly failures: readonly ReportFailure[];
  /** How many cases failed in a step, those left out too. */
  readonly failedCases: number;
  /** How many studies, samples and tables failed with each code, the most frequent first. */
  readonly failuresByCode: readonly { readonly code: string; readonly count: number }[];
  readonly cases: readonly ReportCase[];
  readonly casesLeftOut: number;
  readonly pictures: { readonly shown: number; readonly total: number };
  readonly distributions: readonly ReportDistribution[];
  readonly samples: readonly ReportSample[];
  /** What the machines of services cost; absent where there were none. */
  readonly costs?: RunCosts;
  /** What was planned of the executors that it used, where a plan was kept. */
  readonly planned?: readonly PlannedCost[];
  readonly tables: readonly ReportTable[];
  readonly clinicalProblem?: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, unknown>>;
}
