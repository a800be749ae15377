import { workflowInfo } from '@temporalio/workflow';
import { fanOutChoice, type FanOutChoice } from '../contracts/fan-out-choice.js';
import type { CommonInput, FanOutInput, PreparedRun } from '../contracts/inputs.js';
import type { FanOutModality } from '../contracts/workflow-ids.js';
import type { JsonObject } from '../steps/step.js';
import type { CohortState } from './cohort-state.js';
import { FanOutRun } from './fan-out.js';

/**
 * A choice cut to what the executor can hold. What an account may hold, all its cohorts share: without a pool of its own
 * the cohort takes its slots from the executor's.
 */
function withinLimit(choice: FanOutChoice, executor: string, limit: number | undefined): FanOutChoice {
  if (limit === undefined) return choice;
  const { concurrency, pool = { name: executor, size: limit } } = choice;
  return { ...choice, concurrency: Math.min(concurrency, limit), pool };
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
  const choice = withinLimit(fanOutChoice(input, modality), executor, prepared.limits?.[modality]);
  const retry = prepared.retry?.[modality];
  const run = new FanOutRun({
    fanOut: {
      ...{ modality, cohortId, output, runId, childInput, searchAttributes },
      total: prepared[modality],
      pauseAfter: choice.pauseAfter,
      pooled: choice.pool !== undefined,
    },
    choice,
    ...(retry === undefined ? {} : { only: retry, carried: retry.carried }),
    ...(retryRound === undefined ? {} : { only: retryRound }),
    ...(input.prepared === undefined || parent === undefined ? {} : { parent: parent.workflowId }),
  });
  run.onChange = () => state.show(() => run.progress());
  run.onChange();
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
