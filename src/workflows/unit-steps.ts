import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { UnitInput } from '../contracts/inputs.js';
import type { StepReport, StepRequest } from '../contracts/activities.js';
import type { OutcomeRecord, UnitResult } from '../contracts/outcome.js';
import { StepNotStarted, type UnitPlace } from '../contracts/unit-plans.js';
import { recordOutcome, runStep } from './activities.js';
import { isReportable, stepFailure } from './failures.js';
import { remotely, type RemoteTask } from './remote-unit.js';
import { markFailed } from './search-attributes.js';

/** Which service is given the work of a unit; the rest of the task is the unit's own. */
export type Given = RemoteTask extends infer T ? (T extends unknown ? Omit<T, 'output' | 'runId'> : never) : never;

/** How the work of a unit is done. */
export interface UnitWork {
  /**
   * Runs one step here.
   *
   * @param service what it is run with in place of the inputs that decide whether it has to, and what that was made on
   */
  readonly step: (
    name: string,
    params: StepRequest['params'],
    inputs: StepRequest['inputs'],
    service?: Pick<StepRequest, 'instead' | 'machine'>,
  ) => Promise<StepReport>;
  /**
   * Has a service do the work, under the name of a step; returns when its results are taken over, or were there before.
   *
   * @param take brings them into their place
   */
  readonly remotely: (name: string, given: Given, take: Parameters<typeof remotely<unknown>>[1]) => Promise<void>;
}

/**
 * Runs the steps of one unit, one after another as `work` asks for them, and says how the unit ended. Steps that succeed
 * record themselves; a step that fails for good, or is cancelled, is recorded here. Only cancellation is thrown.
 */
export async function runUnit(
  input: UnitInput,
  place: UnitPlace,
  work: (unit: UnitWork) => Promise<void>,
): Promise<UnitResult> {
  const { unit, folder } = place;
  const { output, runId = workflowInfo().runId, force = false } = input;
  const round = input.round === undefined ? {} : { round: input.round };
  const verify = input.verifyInputs === true ? { verify: true } : {};
  let current = '';
  let ranAny = false;
  let tries = 1;
  let begun = Date.now();

  const step: UnitWork['step'] = async (name, params, inputs, service) => {
    current = name;
    begun = Date.now();
    const where = { kind: 'output', folder } as const;
    const request = { output, runId, step: name, params, inputs, ...service, unit, place: where, force };
    const report = await runStep({ ...request, ...round, ...verify });
    if (report.outcome === 'done') ranAny = true;
    return report;
  };
  const away: UnitWork['remotely'] = async (name, given, take) => {
    current = name;
    begun = Date.now();
    const all = async (...args: Parameters<typeof take>): Promise<true> => {
      await take(...args);
      return true;
    };
    const taken = await remotely({ ...given, output, runId }, all, (attempt) => {
      tries = attempt;
    });
    if (taken === true) ranAny = true;
  };
  /** Writes the line of a step that did not succeed. */
  const record = (fields: Pick<OutcomeRecord, 'outcome' | 'code' | 'attempts' | 'message'>): Promise<void> => {
    const time = { started: new Date(begun).toISOString(), seconds: (Date.now() - begun) / 1000 };
    const { caseId, modality, part } = unit;
    const line = { caseId, modality, part, step: current, ...round, why: '', ...time, ...fields };
    return recordOutcome({ output, runId, record: line });
  };

  try {
    await work({ step, remotely: away });
    return { outcome: ranAny ? 'done' : 'reused' };
  } catch (error) {
    if (isCancellation(error)) {
      await record({ outcome: 'cancelled', code: '', attempts: 1, message: 'cancelled while under way' });
      throw error;
    }
    if (!(error instanceof StepNotStarted) && !isReportable(error)) throw error;
    const { step: failed = current, ...failure } =
      error instanceof StepNotStarted ? { ...fieldsOf(error), attempts: 1 } : stepFailure(error);
    current = failed;
    await record({ outcome: 'failed', ...failure, attempts: Math.max(failure.attempts, tries) });
    if (input.searchAttributes === true) markFailed(failure.code);
    return { outcome: 'failed', step: current, code: failure.code };
  }
}

function fieldsOf({ code, message, step }: StepNotStarted): Pick<StepNotStarted, 'code' | 'message' | 'step'> {
  return { code, message, step };
}
