import { Context, ApplicationFailure } from '@temporalio/activity';
import { CohortflowError } from '../domain/errors.js';
import { failureKind } from '../domain/failures/index.js';
import type { StepActivities } from '../contracts/activities.js';
import { boundedCause, boundedFailure } from './bounded-failure.js';
import { executeStep, type Attempt, type StepServices } from './execute-step.js';

/** How often a working activity tells the server that it lives; far below the heartbeat timeout. */
const HEARTBEAT_MS = 5_000;

/** Any error as the failure that Temporal stores: its type is the code, retried or not as the catalogue says. */
export function toApplicationFailure(
  error: unknown,
  facts: Readonly<Record<string, unknown>> = {},
): ApplicationFailure {
  const { code, message, details } = boundedFailure(error);
  const cause = error instanceof CohortflowError ? undefined : boundedCause(error);
  return ApplicationFailure.create({
    type: code,
    message,
    nonRetryable: !failureKind(code).retryable,
    details: [{ ...facts, ...details }],
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * Runs `work` while heartbeating; aborts it when the activity is cancelled; throws coded failures. The first heartbeat comes
 * after the first interval: each is billed, and most activities have ended by then.
 *
 * @param everyMs how often: far below the heartbeat timeout of its class of work
 */
export async function heartbeating<T>(
  work: (attempt: Attempt, signal: AbortSignal, progress: (message: string) => void) => Promise<T>,
  everyMs = HEARTBEAT_MS,
): Promise<T> {
  const context = Context.current();
  const began = Date.now();
  const attempt: Attempt = {
    number: context.info.attempt,
    started: new Date(began).toISOString(),
    seconds: () => (Date.now() - began) / 1000,
  };
  let last = '';
  const timer = setInterval(() => context.heartbeat(last), everyMs);
  try {
    return await work(attempt, context.cancellationSignal, (message) => {
      last = message;
    });
  } catch (error) {
    // The cancellation's own error must pass unchanged: it tells the server that the cancel was heeded.
    if (context.cancellationSignal.aborted) await context.cancelled;
    const { number, started } = attempt;
    if (error instanceof ApplicationFailure) throw error;
    throw toApplicationFailure(error, { attempt: number, started, seconds: attempt.seconds() });
  } finally {
    clearInterval(timer);
  }
}

/** The heavy activities: one generic step runner. */
export function createStepActivities(services: StepServices): StepActivities {
  return {
    runStep: (request) =>
      heartbeating((attempt, signal, progress) => executeStep(request, services, attempt, signal, progress)),
  };
}
