import type { CohortUnit } from '../domain/cohort/manifest.js';
import type { JsonObject } from '../steps/step.js';
import type { RetryRequest } from './control.js';
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
  /**
   * What the step is run with in place of `inputs`, which still decide whether it has to: what a service made of them.
   */
  readonly instead?: Readonly<Record<string, readonly string[]>>;
  /** Machine (`instanceType`) and `seconds` of the service that made it, for the outcome. */
  readonly machine?: JsonObject;
  /** Whose step this is; absent for a step of the whole cohort, which leaves no line among the cases' outcomes. */
  readonly unit?: { readonly caseId: string; readonly part: string; readonly modality: Modality };
  /**
   * Where the files go: a folder below the output, or `shared`: one folder per fingerprint in this installation's cache
   * (an index that any run with the same transcripts can use).
   */
  readonly place: { readonly kind: 'output'; readonly folder: string } | { readonly kind: 'shared' };
  readonly force: boolean;
  /** Read every input again, whatever is remembered of its content. */
  readonly verify?: boolean;
  /** Which pass over the unit within the run: 0 (or absent) the first, above that a retry. */
  readonly round?: number;
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

/** Which units a fan-out or a lane wants next: those at the positions `first + n * stride`, n from `from` on. */
export interface UnitPage {
  readonly output: string;
  readonly runId: string;
  readonly modality: FanOutModality;
  /** 0 is the whole manifest; above that the failed units a retry took in. */
  readonly round: number;
  readonly first: number;
  readonly stride: number;
  readonly from: number;
  /** Most units to return. */
  readonly limit: number;
  /** How many units the slice has: fewer on disk are a fault. */
  readonly size?: number;
  /** What the units' workflows will be given besides the unit; when present, units that are finished already are skipped. */
  readonly reuse?: JsonObject;
}

/** A page of units still to be run. */
export interface NextUnits {
  /** `at` is the unit's n in the slice; `reused` units before it are finished already and were recorded as such. */
  readonly units: readonly { readonly unit: CohortUnit; readonly at: number; readonly reused: number }[];
  /** Finished units after the last one returned. */
  readonly reused: number;
  /** The n to ask for next. */
  readonly next: number;
}

/** A claim on a pool that cohorts share. */
export interface PoolClaim {
  readonly pool: string;
  readonly size: number;
  /** Workflow id of the fan-out that runs the units. */
  readonly holder: string;
  /** Slots it could use. */
  readonly want: number;
  /** Slots it uses now. */
  readonly using: number;
  /** Number of the last grant it has seen; 0 before the first. */
  readonly seq: number;
  /** It has ended: everything is given back. */
  readonly leaves: boolean;
}

/** Which outcomes are compacted, and how the run stands: units without one are listed as what the state says. */
export interface RunState {
  readonly output: string;
  readonly runId: string;
  readonly state: 'running' | 'finished' | 'cancelled';
}

/** Facts of the end of a run for run.json and the report. */
export interface RunEnd extends RunState {
  readonly state: 'finished' | 'cancelled';
  /** When its data set was joined; the report, which is written after it, may have had to wait. */
  readonly joinedAt?: string;
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
  nextUnits(page: UnitPage): Promise<NextUnits>;
  /**
   * Writes the pages of the units of this run that failed and are not being retried already; returns how many. Asked again
   * for the same round it returns the same.
   */
  selectFailed(request: {
    readonly output: string;
    readonly runId: string;
    readonly modality: FanOutModality;
    readonly round: number;
    readonly choice: RetryRequest;
  }): Promise<{ readonly total: number }>;
  /** Tells the pool's workflow, started when there is none; it answers the holder by a signal. */
  claimPool(claim: PoolClaim): Promise<void>;
  /** Which of these workflows are still open. */
  openWorkflows(request: { readonly ids: readonly string[] }): Promise<{ readonly open: readonly string[] }>;
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
  compactOutcomes(request: RunState): Promise<{
    readonly file: string;
    readonly cases: string;
    readonly failed: number;
    /** What the machines of services cost so far, for people. */
    readonly costs?: readonly string[];
  }>;
  /** Writes run.json's end. */
  closeRun(end: RunEnd): Promise<void>;
}

/** Heavy work: on the cpu queue. */
export interface StepActivities {
  runStep(request: StepRequest): Promise<StepReport>;
}
