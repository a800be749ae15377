import { isCancellation } from '@temporalio/workflow';
import type { CommonInput, PreparedRun } from '../contracts/inputs.js';
import type { StepReport, StepRequest } from '../contracts/activities.js';
import type { FeatureGroupResult } from '../contracts/results.js';
import type { JsonObject } from '../steps/step.js';
import type { FailureCode } from '../domain/failures/index.js';
import { runStep } from './activities.js';
import { isReportable, stepFailure } from './failures.js';
import { untilMended, type Mended } from './mending.js';

/** What the steps of a whole cohort share. */
export interface CohortStepContext {
  readonly output: string;
  readonly runId: string;
  readonly force: boolean;
  readonly verify?: boolean;
}

/** The context of a run's steps. */
export function stepContext(input: CommonInput, { runId }: Pick<PreparedRun, 'runId'>): CohortStepContext {
  const { output, force = false, verifyInputs } = input;
  return { output, runId, force, ...(verifyInputs === true ? { verify: true } : {}) };
}

function count(summary: JsonObject, name: 'rows' | 'columns'): Partial<Record<typeof name, number>> {
  const value = summary[name];
  return typeof value === 'number' ? { [name]: value } : {};
}

/** What a table may come to by its own size: it would do so again whatever someone mended, and the run would never end. */
const OWN_SIZE: ReadonlySet<FailureCode> = new Set(['OutOfMemory', 'StepTimeout', 'ProcessLost']);

/** Runs a step; what the environment fails (a full disk) waits for someone, and is made again when they say to go on. */
export function stepUntilMended(request: StepRequest, mended: Mended | undefined): Promise<StepReport> {
  const run = (): Promise<StepReport> => runStep(request);
  return mended === undefined ? run() : untilMended(run, mended, (code) => !OWN_SIZE.has(code));
}

/**
 * Runs one step over the whole cohort (a table, the data set, the report). A failure is a result, so that the rest of the
 * run still comes out; only cancellation is thrown.
 *
 * @param mended asked where the environment fails the step; without it that is a failure like any other
 */
export async function cohortStep(
  context: CohortStepContext,
  group: string,
  step: string,
  params: JsonObject,
  inputs: Readonly<Record<string, readonly string[]>>,
  folder: string,
  { mended, volatile }: { readonly mended?: Mended | undefined; readonly volatile?: JsonObject } = {},
): Promise<FeatureGroupResult> {
  try {
    const place = { kind: 'output', folder } as const;
    const request = { ...context, step, params, inputs, place, ...(volatile === undefined ? {} : { volatile }) };
    const { outcome, outputs, folder: where, summary } = await stepUntilMended(request, mended);
    const file = outputs[0] === undefined ? {} : { file: `${where}/${outputs[0]}` };
    const said = typeof summary['said'] === 'string' ? { said: summary['said'] } : {};
    return { group, outcome, ...file, ...count(summary, 'rows'), ...count(summary, 'columns'), ...said };
  } catch (error) {
    if (isCancellation(error) || !isReportable(error)) throw error;
    const { code, message } = stepFailure(error);
    return { group, outcome: 'failed', code, message };
  }
}
