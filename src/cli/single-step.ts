import type { JsonObject, Step, StepCall } from '../steps/step.js';
import { runStepIntoFolder, type StepResult } from '../app/step-folders.js';
import { refuseFileAsFolder } from './options.js';
import { say } from './output.js';

/** Aborts on the first Ctrl-C or SIGTERM; a second one ends the process at once. */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new DOMException('interrupted', 'AbortError'));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  return controller.signal;
}

/** Runs one step for a single-step verb, without Temporal: progress on standard error when it is a terminal. */
export async function runSingleStep<P extends JsonObject, S extends JsonObject>(
  step: Step<P, S>,
  params: P,
  inputs: StepCall<P>['inputs'],
  outputFolder: string,
  signal: AbortSignal,
): Promise<StepResult<S>> {
  refuseFileAsFolder(outputFolder);
  const live = process.stderr.isTTY;
  if (!live) say(`${step.name}`);
  const progress = (message: string): void => {
    if (live) process.stderr.write(`\r\u001b[2K${step.name}: ${message}`);
  };
  try {
    return await runStepIntoFolder(step, { params, inputs, outputFolder, signal, progress });
  } finally {
    if (live) process.stderr.write('\r\u001b[2K');
  }
}
