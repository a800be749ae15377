import type { OutcomeRecord } from '../contracts/outcome.js';
import type { JsonObject } from '../steps/step.js';

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

/** Who works in an output folder. */
export interface RunOwner {
  readonly workflowId: string;
  readonly runId: string;
  readonly startedAt: string;
  readonly state: 'running' | 'finished' | 'cancelled';
  readonly endedAt?: string;
  readonly result?: JsonObject;
}

/** The durable memory of an output folder: who runs there, what is finished, what became of every case. */
export interface RunLedger {
  owner(output: string): Promise<RunOwner | undefined>;
  setOwner(output: string, owner: RunOwner): Promise<void>;
  /** The manifest of a finished step, or undefined; a damaged one counts as none. */
  manifest(path: string): Promise<StepManifest | undefined>;
  setManifest(path: string, manifest: StepManifest): Promise<void>;
  /** Manifests of all finished steps whose files lie in one folder below the output (`imaging/<case>`). */
  manifestsOf(output: string, folder: string): Promise<readonly StepManifest[]>;
  /** Writes one record once; the same record again is not an error. */
  record(output: string, runId: string, record: OutcomeRecord): Promise<void>;
  /** All records of a run, the latest attempt of each (unit, step), sorted by modality, case, part and start. */
  records(output: string, runId: string): Promise<readonly OutcomeRecord[]>;
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
