import type { RecordPageName } from '../contracts/layout.js';
import type { OutcomeRecord } from '../contracts/outcome.js';
import type { Modality } from '../contracts/workflow-ids.js';
import type { JsonObject } from '../steps/step.js';
import type { ServerIdentity } from './cohort-server.js';

/** One file that a step made. */
export interface MadeFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  /** {@link Fingerprints.stamp} of the file when it was committed: equal means untouched, different means look closer. */
  readonly stamp?: string;
}

/** What a finished step was made from and what it made; written last, so its presence means the step happened. */
export interface StepManifest {
  readonly step: string;
  readonly version: number;
  /** SHA-256 of the canonical JSON of the parameters that decide the result. */
  readonly params: string;
  /** Role to a hash of the content of its files. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: readonly MadeFile[];
  readonly summary: JsonObject;
  /** The run that made it, and why it had to. */
  readonly made?: { readonly runId: string; readonly why: string };
}

/** A run that claimed an output folder. */
export interface RunClaim {
  readonly workflowId: string;
  readonly runId: string;
  readonly startedAt: string;
  /** The server it runs on. */
  readonly server?: ServerIdentity;
}

/** Who works in an output folder. */
export interface RunOwner extends RunClaim {
  readonly state: 'running' | 'finished' | 'cancelled';
  /** The run whose failures this one takes up. */
  readonly retryOf?: string;
  /** When the data set was joined, and when all was done. */
  readonly joinedAt?: string;
  readonly endedAt?: string;
  readonly result?: JsonObject;
}

/** The durable memory of an output folder: who runs there, what is finished, what became of every case. */
export interface RunLedger {
  /** The run that works, or worked last, in the folder; undefined when nobody did, and when what is written is not that. */
  owner(output: string): Promise<RunOwner | undefined>;
  setOwner(output: string, owner: RunOwner): Promise<void>;
  /**
   * Claims the folder after a run (undefined: as the first). Returns the claim that holds: the one given, or that of another
   * run which came before.
   */
  claim(output: string, after: string | undefined, claim: RunClaim): Promise<RunClaim>;
  /** Every claim that was ever made of the folder, in no order. */
  claims(output: string): Promise<readonly RunClaim[]>;
  /** The manifest of a finished step, or undefined; a damaged one counts as none. */
  manifest(path: string): Promise<StepManifest | undefined>;
  setManifest(path: string, manifest: StepManifest): Promise<void>;
  /** Manifests of all finished steps whose files lie in one folder below the output (`imaging/<case>`). */
  manifestsOf(output: string, folder: string): Promise<readonly StepManifest[]>;
  /** Writes one record once; the same record again is not an error. */
  record(output: string, runId: string, record: OutcomeRecord): Promise<void>;
  /**
   * Writes many records as one object that never changes: what a scan found reusable, what a retry carries over from an
   * earlier run. Written again, it stands beside the first, and what counts of both is what counts of single records.
   */
  recordPage(output: string, runId: string, page: RecordPageName, records: readonly OutcomeRecord[]): Promise<void>;
  /** A reader of a run's records of one modality, for going through its units in order. */
  recordsOf(output: string, runId: string, modality: Modality): RecordReader;
  /** Removes the records of a case in all runs and the manifests of its steps; returns how many objects were changed. */
  forgetCase(output: string, caseId: string): Promise<number>;
}

/** A unit as records name it. */
export type RecordedUnit = Pick<OutcomeRecord, 'caseId' | 'part'>;

/** Reads the records of a run a page of units at a time, so that memory does not grow with the run. */
export interface RecordReader {
  /**
   * For each unit the records that count, by start: those of its last round only, one per step (a success before a
   * failure, whose answer was lost; then the later attempt). A unit without records has an empty list.
   *
   * @param units units that follow each other in the run's list
   * @param first position of the first of them in that list, from 0
   * @param options `step`: only the record of this step
   */
  of(
    units: readonly RecordedUnit[],
    first: number,
    options?: { readonly step?: string; readonly signal?: AbortSignal | undefined },
  ): Promise<readonly (readonly OutcomeRecord[])[]>;
}

/** How a hash is wanted. */
export interface HashOptions {
  readonly signal?: AbortSignal;
  /** Read the content again, whatever is remembered (`--verify-inputs`). */
  readonly verify?: boolean;
}

/** Content hashes of files and folders. */
export interface Fingerprints {
  /** SHA-256 of a file's bytes, or of the names and hashes of all files below a folder. Throws `FileNotFound`. */
  of(path: string, options?: HashOptions): Promise<string>;
  /** The same, if it is remembered and nothing changed since; never reads content. Undefined otherwise. */
  known(path: string, signal?: AbortSignal): Promise<string | undefined>;
  /**
   * A short text that changes whenever a file's content may have changed, found without reading it; undefined when there
   * is no such file. What it is made of is the store's business, and only equality means something.
   */
  stamp(path: string): Promise<string | undefined>;
  /** Drops what is remembered of a path. */
  forget(path: string): Promise<void>;
}
