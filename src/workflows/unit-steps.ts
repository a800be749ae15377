import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { UnitInput } from '../contracts/inputs.js';
import type { OutcomeRecord, UnitResult } from '../contracts/outcome.js';
import { StepNotStarted, type PlannedStep, type UnitPlace } from '../contracts/unit-plans.js';
import { recordOutcome, runStep } from './activities.js';
import { isReportable, stepFailure } from './failures.js';
import { markFailed } from './search-attributes.js';

/**
 * Runs the steps of one unit, one after another as `work` asks for them, and says how the unit ended. Steps that succeed
 * record themselves; a step that fails for good, or is cancelled, is recorded here. Only cancellation is thrown.
 */
export async function runUnit(
  input: UnitInput,
  place: UnitPlace,
  work: (step: PlannedStep) => Promise<void>,
): Promise<UnitResult> {
  const { unit, folder } = place;
  const { output, runId = workflowInfo().runId, force = false } = input;
  const round = input.round === undefined ? {} : { round: input.round };
  const verify = input.verifyInputs === true ? { verify: true } : {};
  let current = '';
  let ranAny = false;
  let begun = Date.now();

  const step: PlannedStep = async (name, params, inputs) => {
    current = name;
    begun = Date.now();
    const where = { kind: 'output', folder } as const;
    const request = { output, runId, step: name, params, inputs, unit, place: where, force };
    const report = await runStep({ ...request, ...round, ...verify });
    if (report.outcome === 'done') ranAny = true;
    return report;
  };
  /** Writes the line of a step that did not succeed. */
  const record = (fields: Pick<OutcomeRecord, 'outcome' | 'code' | 'attempts' | 'message'>): Promise<void> => {
    const time = { started: new Date(begun).toISOString(), seconds: (Date.now() - begun) / 1000 };
    const { caseId, modality, part } = unit;
    const line = { caseId, modality, part, step: current, ...round, why: '', ...time, ...fields };
    return recordOutcome({ output, runId, record: line });
  };

  try {
    await work(step);
    return { outcome: ranAny ? 'done' : 'reused' };
  } catch (error) {
    if (isCancellation(error)) {
      await record({ outcome: 'cancelled', code: '', attempts: 1, message: 'cancelled while under way' });
      throw error;
    }
    if (error instanceof StepNotStarted) current = error.step;
    else if (!isReportable(error)) throw error;
    const failure = error instanceof StepNotStarted ? { ...fieldsOf(error), attempts: 1 } : stepFailure(error);
    await record({ outcome: 'failed', ...failure });
    if (input.searchAttributes === true) markFailed(failure.code);
    return { outcome: 'failed', step: current, code: failure.code };
  }
}

function fieldsOf({ code, message }: StepNotStarted): Pick<StepNotStarted, 'code' | 'message'> {
  return { code, message };
}
