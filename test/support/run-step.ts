import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runStepIntoFolder } from '../../src/app/step-folders.js';
import type { JsonObject, Step, StepCall } from '../../src/steps/step.js';

/** A private folder of one test. */
export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `cohortflow-${name}-`));
}

/** What a test gets of a step. */
export interface StepRun<S> {
  readonly summary: S;
  readonly outputs: readonly string[];
  readonly folder: string;
}

/** Runs a step as the command line does; returns its summary, its outputs and where they are. */
export async function runStep<P extends JsonObject, S extends JsonObject>(
  step: Step<P, S>,
  params: P,
  inputs: StepCall<P>['inputs'],
  outputFolder = join(temporaryFolder('step'), 'out'),
): Promise<StepRun<S>> {
  const request = { params, inputs, outputFolder, signal: new AbortController().signal, progress: () => undefined };
  return { ...(await runStepIntoFolder(step, request)), folder: outputFolder };
}
