import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  TimeoutFailure,
  isCancellation,
  rootCause,
} from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import { RetryState } from '@temporalio/common';
import { CohortflowError } from '../domain/errors.js';
import { isFailureCode, type FailureCode } from '../domain/failures/index.js';
import { CLASSES } from './work-classes.js';

/** How often an activity is tried at all: what came of one that only ever timed out does not say it. */
function mostAttempts(activityType: string): number {
  const options = (CLASSES as Readonly<Record<string, ActivityOptions | undefined>>)[activityType];
  return options?.retry?.maximumAttempts ?? 1;
}

/** What a workflow knows of a failure of a step. */
export interface StepFailure {
  readonly code: FailureCode;
  readonly message: string;
  readonly attempts: number;
  readonly started?: string;
  readonly seconds?: number;
  /** The step that failed, where one activity stands for several. */
  readonly step?: string;
}

/** Facts that the runStep activity attaches to its failures. */
interface AttemptFacts {
  readonly attempt?: number;
  readonly started?: string;
  readonly seconds?: number;
  readonly step?: string;
}

function applicationFailureIn(error: unknown): ApplicationFailure | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if (at instanceof ApplicationFailure) return at;
  return undefined;
}

function isTimeout(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if (at instanceof TimeoutFailure) return true;
  return false;
}

/** The code of a failure that nobody of ours threw: the server's own. */
function uncodedFailure(error: unknown): FailureCode {
  if (isCancellation(error)) return 'Cancelled';
  if (error instanceof ChildWorkflowFailure) return 'Terminated';
  return isTimeout(error) ? 'StepTimeout' : 'InternalError';
}

/** Reads a failed activity or child back into the catalogue. */
export function stepFailure(error: unknown): StepFailure {
  const failure = applicationFailureIn(error);
  if (failure === undefined) {
    const given = error instanceof ActivityFailure && error.retryState === RetryState.MAXIMUM_ATTEMPTS_REACHED;
    const attempts = given ? mostAttempts(error.activityType) : 1;
    return { code: uncodedFailure(error), message: rootCause(error) ?? String(error), attempts };
  }
  const facts = (failure.details?.[0] ?? {}) as AttemptFacts;
  const code = failure.type != null && isFailureCode(failure.type) ? failure.type : 'InternalError';
  return {
    code,
    message: failure.message,
    attempts: facts.attempt ?? 1,
    ...(facts.started === undefined ? {} : { started: facts.started }),
    ...(facts.seconds === undefined ? {} : { seconds: facts.seconds }),
    ...(typeof facts.step === 'string' ? { step: facts.step } : {}),
  };
}

/** True for a failure of an activity or a child: something to report; anything else is a fault of the workflow's code. */
export function isReportable(error: unknown): boolean {
  return error instanceof ActivityFailure || error instanceof ChildWorkflowFailure;
}

/**
 * True when the workflow that asks is being cancelled. A child or an activity that someone cancelled alone rejects with the
 * same kind of error, but then only that one ends.
 */
export function isOwnCancellation(error: unknown): boolean {
  return isCancellation(error) && CancellationScope.current().consideredCancelled;
}

/** Runs the synchronous start of a workflow; a coded error ends the workflow at once instead of retrying its task for ever. */
export function orFail<T>(start: () => T): T {
  try {
    return start();
  } catch (error) {
    if (!(error instanceof CohortflowError)) throw error;
    throw ApplicationFailure.create({
      type: error.code,
      message: error.message,
      nonRetryable: true,
      details: [error.details],
    });
  }
}

/** Ends the workflow with the coded failure of an activity itself, so that whoever started it reads what to correct. */
export async function orFailAs<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isCancellation(error)) throw error;
    throw applicationFailureIn(error) ?? error;
  }
}
