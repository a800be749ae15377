import type { PaidMachine } from '../domain/costs/index.js';
import type { JsonObject } from '../steps/step.js';
import type { DragenChoice, GenomicsSampleInput, ImagingStudyInput } from './inputs.js';

/** Where the units of a modality may run besides here. */
export const IMAGING_EXECUTORS = ['local', 'sagemaker'] as const;
export const GENOMICS_EXECUTORS = ['local', 'dragen'] as const;
export type ImagingExecutor = (typeof IMAGING_EXECUTORS)[number];
export type GenomicsExecutor = (typeof GENOMICS_EXECUTORS)[number];
/** A service that does the work of a unit on a machine of its own. */
export type RemoteExecutorName = Exclude<ImagingExecutor | GenomicsExecutor, 'local'>;
export const REMOTE_EXECUTORS = ['sagemaker', 'dragen'] as const satisfies readonly RemoteExecutorName[];

/**
 * Work given to a service, and which try this is: that of one unit, by the whole input of its workflow, or what all units of
 * a cohort need first (DRAGEN's hash table).
 */
export type RemoteRequest = {
  readonly output: string;
  /** Key of the records of outcomes. */
  readonly runId: string;
  /** 1 is the first try; a try of another number is other work, with another name. */
  readonly attempt: number;
} & (
  | { readonly executor: 'sagemaker'; readonly input: ImagingStudyInput }
  | { readonly executor: 'dragen'; readonly input: GenomicsSampleInput }
  | { readonly executor: 'dragen'; readonly table: DragenChoice }
);

/** Names work that was taken on: plain JSON, small; what the executor needs to find it again. */
export interface RemoteTicket {
  readonly executor: RemoteExecutorName;
  /** At most 63 letters, digits and hyphens: made from the unit's workflow run and the try, so that repeating finds it. */
  readonly name: string;
  /** `s3://…/<name>`: what the work reads besides its inputs and what it leaves. */
  readonly place: string;
  readonly facts?: JsonObject;
  /** Whose it is, for what it cost. */
  readonly run?: { readonly output: string; readonly runId: string };
}

/** What became of submitting: nothing to do, or work that was taken on. */
export type RemoteStart = { readonly reused: true } | { readonly reused: false; readonly ticket: RemoteTicket };

/** What work that ended well left. */
export interface RemoteEnd {
  /** Paths by role, for the step that takes them up; empty where the work is adopted whole. */
  readonly results: Readonly<Record<string, readonly string[]>>;
  /** Machine (`instanceType`) and `seconds` it took, for the costs; no more than that. */
  readonly facts?: JsonObject;
  /** What was paid for it, where it has ended by itself; else whoever ends it says so. */
  readonly paid?: readonly PaidMachine[];
}

/**
 * Activities of work that a service does: begin, wait, take over, stop. On a queue of their own, because waiting takes a slot
 * for hours and nothing else.
 */
export interface RemoteActivities {
  /** Gives the work away, or finds that it is done already. Repeated with the same request it finds its own work. */
  submitWork(request: RemoteRequest): Promise<RemoteStart>;
  /** Waits for the end; heartbeats. Throws the work's failure with its code. */
  awaitWork(request: { readonly ticket: RemoteTicket }): Promise<RemoteEnd>;
  /** Brings the results of a study into its place with manifests and outcomes; the same as if the steps had run here. */
  adoptWork(request: {
    readonly request: RemoteRequest;
    readonly ticket: RemoteTicket;
    /** Of the end of the work: what was paid for it, for the outcome. */
    readonly facts?: JsonObject;
  }): Promise<{ readonly outcome: 'done' }>;
  /** Ends the work of that request, whether it was taken on or not, and waits until it is certain to cost nothing more. */
  stopWork(request: RemoteRequest): Promise<void>;
}
