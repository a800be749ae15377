import { randomUUID } from 'node:crypto';
import { basename, dirname, join, relative } from 'node:path';
import type { Files } from '../ports/files.js';
import type { JsonObject, Step, StepCall, StepIo } from '../steps/step.js';
import { createStepIo } from './step-io.js';

/** What a caller gives to run one step into a folder. */
export interface StepRequest<Params extends JsonObject> {
  readonly params: Params;
  readonly inputs: StepCall<Params>['inputs'];
  readonly outputFolder: string;
  readonly signal: AbortSignal;
  readonly progress: (message: string) => void;
}

/** The files a step left and what it said of them. */
export interface StepResult<Summary extends JsonObject> {
  readonly summary: Summary;
  /** Paths below the output folder, sorted. */
  readonly outputs: readonly string[];
}

/** Moves every file below `from` to the same relative place below `to`; each appears whole. */
async function commit(files: Files, from: string, to: string): Promise<string[]> {
  const outputs: string[] = [];
  for (const entry of await files.list(from, { recursive: true })) {
    const path = relative(from, entry.path);
    await files.rename(entry.path, join(to, path));
    outputs.push(path);
  }
  return outputs.sort();
}

/**
 * Runs one step in this process, in a private folder beside its output folder, and moves what it wrote into place. A step
 * that fails leaves the output folder as it was.
 */
export async function runStepIntoFolder<Params extends JsonObject, Summary extends JsonObject>(
  step: Step<Params, Summary>,
  request: StepRequest<Params>,
): Promise<StepResult<Summary>> {
  const { outputFolder } = request;
  // Beside, not in the system's temporary folder: a rename within one file system is atomic.
  const work = join(dirname(outputFolder), `.${basename(outputFolder)}.${randomUUID()}`);
  const io: StepIo = createStepIo({ outputFolder: join(work, 'output'), scratchFolder: join(work, 'scratch') });
  try {
    await io.files.makeFolder(io.outputFolder);
    await io.files.makeFolder(io.scratchFolder);
    const { params, inputs, signal, progress } = request;
    const summary = await step.run({ params, inputs, io, signal, progress });
    return { summary, outputs: await commit(io.files, io.outputFolder, outputFolder) };
  } finally {
    await io.files.remove(work);
  }
}
