import { ApplicationFailure } from '@temporalio/common';
import type { StepRequest } from '../contracts/activities.js';
import { CohortflowError } from '../domain/errors.js';
import type { FailureCode } from '../domain/failures/index.js';

/**
 * What one attempt of a mocked step does; returning means success, throwing means failure.
 *
 * @param attempt 1 for the first
 */
export type StepBehaviour = (request: StepRequest, attempt: number) => void | Promise<void>;

/** Which attempts a behaviour is about. */
export interface WhichAttempts {
  /** Name of the step; the first step of a study or sample when not given. */
  readonly step?: string;
  /** Only the first so many attempts; all of them when not given. */
  readonly attempts?: number;
}

/** The first steps of a study and of a sample. */
const FIRST_STEPS = ['imaging.convert', 'genomics.quantify'];

function isMeant({ step: asked }: StepRequest, attempt: number, { step, attempts }: WhichAttempts): boolean {
  const meant = step === undefined ? FIRST_STEPS.includes(asked) : step === asked;
  return meant && (attempts === undefined || attempt <= attempts);
}

/** A step that succeeds at once. */
export const succeeding: StepBehaviour = () => undefined;

/**
 * A step that fails with a code of the catalogue, which decides whether it is tried again: a fault of the data
 * (`SegNotFound`) is not, a lost process (`ProcessLost`) is.
 */
export function failing(code: FailureCode, which: WhichAttempts = {}): StepBehaviour {
  return (request, attempt) => {
    if (isMeant(request, attempt, which)) throw new CohortflowError(code, `${request.step} was mocked to fail`);
  };
}

/**
 * A step that takes simulated time. The server holds time still while an activity runs, so the first attempt "fails" with
 * the time as its back-off and the second succeeds: the step is seen twice in what the mocks recorded.
 *
 * @param milliseconds how long; nothing waits for 0
 */
export function lasting(milliseconds: number, which: Pick<WhichAttempts, 'step'> = {}): StepBehaviour {
  return (request, attempt) => {
    if (milliseconds <= 0 || !isMeant(request, attempt, { ...which, attempts: 1 })) return;
    throw ApplicationFailure.create({ message: 'simulated work', nextRetryDelay: milliseconds });
  };
}

/** A behaviour for each of some cases, and one for all others and for the steps of the whole cohort. */
export function perCase(
  behaviours: Readonly<Record<string, StepBehaviour>>,
  others: StepBehaviour = succeeding,
): StepBehaviour {
  return (request, attempt) => {
    const { unit } = request;
    const own = unit !== undefined && Object.hasOwn(behaviours, unit.caseId) ? behaviours[unit.caseId] : undefined;
    return (own ?? others)(request, attempt);
  };
}
