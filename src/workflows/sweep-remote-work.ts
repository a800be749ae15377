import { checkInput } from '../contracts/input-check.js';
import { REMOTE_EXECUTORS } from '../contracts/remote-work.js';
import { incompleteSweep, SWEEP_RULES, type SweepInput, type SweepResult } from '../contracts/sweep.js';
import { CohortflowError } from '../domain/errors.js';
import { remoteWork } from './activities.js';
import { orFail, orFailAs } from './failures.js';

function checked(raw: unknown): SweepInput {
  const input = checkInput<SweepInput>('sweepRemoteWork', SWEEP_RULES, raw);
  const unknown = input.executors.filter((name) => !REMOTE_EXECUTORS.includes(name));
  if (unknown.length > 0 || input.executors.length === 0) {
    const known = REMOTE_EXECUTORS.join(', ');
    throw new CohortflowError('InvalidInput', `sweepRemoteWork: executors must be some of ${known}`, { unknown });
  }
  return input;
}

/**
 * Ends what services still do for workflows that have ended: for a schedule. Safe to run at any time, beside any cohort.
 *
 * @throws ApplicationFailure `SweepIncomplete` when a service was not looked at or something was not ended: nobody reads the
 *   result of a schedule's workflow, a failed one is seen
 */
export async function sweepRemoteWork(raw: unknown): Promise<SweepResult> {
  const { executors, olderThanMinutes } = orFail(() => checked(raw));
  const age = olderThanMinutes === undefined ? {} : { olderThanMinutes };
  const result = await orFailAs(remoteWork().sweepRemote({ executors, end: true, ...age }));
  return orFail(() => {
    const fault = incompleteSweep(result);
    if (fault !== undefined) throw fault;
    return result;
  });
}
