import type { Archives } from '../ports/archives.js';
import type { Files } from '../ports/files.js';
import type { PictureEncoder } from '../ports/picture-encoder.js';
import type { TableEngine } from '../ports/table-engine.js';
import type { ToolRunner } from '../ports/tool-runner.js';

/** Plain JSON, small: what may travel through a Temporal payload. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Everything a step may touch outside its own memory. */
export interface StepIo {
  readonly files: Files;
  readonly tools: ToolRunner;
  readonly tables: TableEngine;
  readonly pictures: PictureEncoder;
  readonly archives: Archives;
  /** Empty private folder. What lies in it when `run` returns is committed as the step's outputs; what fails leaves nothing. */
  readonly outputFolder: string;
  /** Private folder for intermediate files; removed afterwards, whatever happens. */
  readonly scratchFolder: string;
}

/** One call of a step. */
export interface StepCall<Params extends JsonObject> {
  readonly params: Params;
  /** Staged inputs by role: absolute paths of files or folders on this machine. A role may hold several (lanes of reads). */
  readonly inputs: Readonly<Record<string, readonly string[]>>;
  readonly io: StepIo;
  /** Aborted on cancellation or time-out; long work checks it. */
  readonly signal: AbortSignal;
  /** A short line for humans ("slice 12 of 140"); also the sign of life that keeps the activity's heartbeat honest. */
  progress(message: string): void;
}

/**
 * One unit of work with a name and a version: what the CLI runs alone, the process pool hosts, a container executes and
 * reuse hashes. No Temporal in it, no clock and no randomness in its results: equal inputs and parameters give equal bytes.
 */
export interface Step<Params extends JsonObject = JsonObject, Summary extends JsonObject = JsonObject> {
  /** `<modality>.<verb>`, e.g. `imaging.convert`. */
  readonly name: string;
  /** Raised whenever the same inputs give other outputs; guarded by a golden-output test. */
  readonly version: number;
  /**
   * Does the work; writes files into `io.outputFolder`. The summary is small (< 2 kB) plain JSON of counts and warnings.
   * Throws {@link CohortflowError} for every failure a person can act on; what has no code is a bug.
   */
  run(call: StepCall<Params>): Promise<Summary>;
}
