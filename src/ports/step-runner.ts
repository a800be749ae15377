import type { JsonObject } from '../steps/step.js';

/** A step with everything staged. */
export interface StepTask {
  readonly step: string;
  readonly params: JsonObject;
  readonly inputs: Readonly<Record<string, readonly string[]>>;
  /** Empty private folder for the outputs. */
  readonly outputFolder: string;
  readonly scratchFolder: string;
}

/**
 * Runs steps somewhere that cannot take the caller down: a child process, a container.
 *
 * Rejects with the step's own {@link CohortflowError}; with `ProcessLost` when what ran it ended without an answer, with
 * `OutOfMemory` when it outgrew its memory; with the signal's reason after an abort, once the work has really stopped.
 */
export interface StepRunner {
  run(task: StepTask, signal: AbortSignal, onProgress: (message: string) => void): Promise<JsonObject>;
  close(): Promise<void>;
}
