import { workflowInfo } from '@temporalio/workflow';
import type { FanOutFields } from '../contracts/fan-out-choice.js';
import type { CommonInput, DatasetChoice, MultimodalInput, PreparedRun } from '../contracts/inputs.js';
import type { CohortResult } from '../contracts/results.js';
import type { Modality } from '../contracts/workflow-ids.js';
import { cohort } from './activities.js';
import type { CohortState } from './cohort-state.js';
import { EarlyControl } from './early-control.js';
import { orFailAs } from './failures.js';
import { closingOnCancel, finishRun, heedReport, type RunParts } from './finish-run.js';

/** Checks and prepares a run: the first thing every root workflow does. */
export function prepare(input: MultimodalInput, modalities: readonly Modality[]): Promise<PreparedRun> {
  const { workflowId, firstExecutionRunId, startTime } = workflowInfo();
  const startedAt = startTime.toISOString();
  const request = { input, modalities, workflowId, runId: firstExecutionRunId, startedAt };
  return orFailAs(cohort.prepareCohort(request));
}

/**
 * A modality's workflow is a root when a person starts it (it prepares, and finishes with data set and report), and a
 * part when `multimodalCohort` started it (which has prepared, and will finish).
 */
export async function asRootOrPart<K extends keyof RunParts, R extends NonNullable<RunParts[K]>>(
  input: CommonInput & DatasetChoice & FanOutFields,
  modalities: readonly Modality[],
  state: CohortState,
  name: K,
  part: (prepared: PreparedRun) => Promise<R>,
): Promise<CohortResult | R> {
  if (input.prepared !== undefined) return part(input.prepared);
  const units = modalities.filter((one) => one !== 'clinical');
  if (units.length > 0) state.early = new EarlyControl(units, input);
  const prepared = await prepare(input, modalities);
  heedReport(input, prepared, () => ({}), state);
  return closingOnCancel(input.output, prepared.runId, async () =>
    finishRun(input, prepared, { [name]: await part(prepared) }, state),
  );
}
