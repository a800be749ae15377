import type { CohortUnit } from '../domain/cohort/manifest.js';
import type { JsonObject } from '../steps/step.js';
import type { OutcomeRecord } from './outcome.js';
import type { MultimodalInput, PreparedRun } from './inputs.js';
import type { FanOutModality, Modality } from './workflow-ids.js';

/** One step asked for by a workflow. */
export interface StepRequest {
  readonly output: string;
  readonly runId: string;
  readonly step: string;
  readonly params: JsonObject;
  /** Parameters that do not change what is computed (the run's event time): not part of the fingerprint. */
  readonly volatile?: JsonObject;
  readonly inputs: Readonly<Record<string, readonly string[]>>;
  /** Whose step this is; absent for a step of the whole cohort, which leaves no line among the cases' outcomes. */
  readonly unit?: { readonly caseId: string; readonly part: string; readonly modality: Modality };
  /**
   * Where the files go: a folder below the output, or `shared`: one folder per fingerprint in this installation's cache
   * (an index that any run with the same transcripts can use).
   */
  readonly place: { readonly kind: 'output'; readonly folder: string } | { readonly kind: 'shared' };
  readonly force: boolean;
}

/** What became of a step that succeeded. */
export interface StepReport {
  readonly outcome: 'done' | 'reused';
  readonly why: string;
  /** Absolute folder or URI the outputs lie in. */
  readonly folder: string;
  /** Paths of the outputs below `folder`. */
  readonly outputs: readonly string[];
  readonly summary: JsonObject;
}

export interface UnitPage {
  readonly output: string;
  readonly runId: string;
  readonly modality: FanOutModality;
  /** Index of the first unit, then every `stride`-th. */
  readonly offset: number;
  readonly stride: number;
  readonly limit: number;
}

/** Facts of the end of a run for run.json and the report. */
export interface RunEnd {
  readonly output: string;
  readonly runId: string;
  readonly state: 'finished' | 'cancelled';
  readonly result?: JsonObject;
}

/** Quick activities: on the workflows' own queue. */
export interface CohortActivities {
  /**
   * Claims the output folder, reads and checks the sheet and the settings once, writes pages of units; returns counts.
   * Throws the input's faults as non-retryable failures.
   */
  prepareCohort(request: {
    readonly input: MultimodalInput;
    readonly modalities: readonly Modality[];
    readonly workflowId: string;
    readonly runId: string;
    readonly startedAt: string;
  }): Promise<PreparedRun>;
  loadUnits(page: UnitPage): Promise<readonly CohortUnit[]>;
  recordOutcome(request: {
    readonly output: string;
    readonly runId: string;
    readonly record: OutcomeRecord;
  }): Promise<void>;
  /** Writes the list of a modality's finished units (what the cohort steps read) and returns its path and length. */
  listFinished(request: {
    readonly output: string;
    readonly runId: string;
    readonly modality: FanOutModality;
  }): Promise<{ readonly list: string; readonly units: number; readonly segments: number }>;
  /** Compacts the records of this run into run/outcomes.csv and the index of cases. A unit without a record is listed as what `state` says. */
  compactOutcomes(request: RunEnd): Promise<{
    readonly file: string;
    readonly cases: string;
    readonly failed: number;
  }>;
  /** Writes run.json's end. */
  closeRun(end: RunEnd): Promise<void>;
}

/** Heavy work: on the cpu queue. */
export interface StepActivities {
  runStep(request: StepRequest): Promise<StepReport>;
}
