import { workflowInfo } from '@temporalio/workflow';
import { fanOutChoice, withinLimit, type FanOutChoice, type WidthLimit } from '../contracts/fan-out-choice.js';
import { widthLimit, type CommonInput, type FanOutInput, type PreparedRun } from '../contracts/inputs.js';
import type { FanOutModality } from '../contracts/workflow-ids.js';
import type { JsonObject } from '../steps/step.js';
import type { CohortState } from './cohort-state.js';
import { FanOutRun } from './fan-out.js';

/**
 * A choice cut to what the executor can hold. What an account may hold, all its cohorts share: without a pool of its own
 * the cohort takes its slots from the executor's; and no pool gives more than the executor has.
 */
function held(choice: FanOutChoice, executor: string, limit: WidthLimit | undefined): FanOutChoice {
  if (limit?.most === undefined) return limit === undefined ? choice : { ...choice, limit };
  const { name, size } = choice.pool ?? { name: executor, size: limit.most };
  return { ...choice, limit, pool: { name, size: withinLimit(size, limit) } };
}

/**
 * The fan-out of a modality's workflow, ready to run. Makes the workflow answer control updates.
 *
 * @param childInput what every unit's workflow is given besides its unit
 * @param executor where the units are computed
 */
export function unitFanOut(
  modality: FanOutModality,
  input: CommonInput & FanOutInput,
  prepared: PreparedRun,
  childInput: JsonObject,
  state: CohortState,
  executor = 'local',
): FanOutRun {
  const { workflowId: cohortId, parent } = workflowInfo();
  const { output, retryRound } = input;
  const { runId, searchAttributes = false } = prepared;
  const choice = held(fanOutChoice(input, modality), executor, widthLimit(prepared, modality));
  const retry = prepared.retry?.[modality];
  const run = new FanOutRun({
    fanOut: {
      ...{ modality, cohortId, output, runId, childInput, searchAttributes },
      total: prepared[modality],
      pauseAfter: choice.pauseAfter,
      pooled: choice.pool !== undefined,
    },
    choice,
    // Units of a later round count beside those of the run so far, which has the carried ones in it.
    ...(retry === undefined || retryRound !== undefined ? {} : { only: retry, carried: retry.carried }),
    ...(retryRound === undefined ? {} : { only: retryRound }),
    ...(input.prepared === undefined || parent === undefined ? {} : { parent: parent.workflowId }),
  });
  run.onChange = () => state.show(() => run.progress());
  run.onChange();
  const early = input.steering ?? state.early?.changes[modality];
  if (early !== undefined) run.adopt(early);
  return run;
}

/** What every unit's workflow is given, whatever its modality. */
export function unitInput(input: CommonInput, { runId, searchAttributes }: PreparedRun): JsonObject {
  const { output, force = false, verifyInputs } = input;
  return {
    ...{ output, runId, force },
    ...(verifyInputs === undefined ? {} : { verifyInputs }),
    ...(searchAttributes === true ? { searchAttributes } : {}),
  };
}
