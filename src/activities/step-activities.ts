import { Context, ApplicationFailure } from '@temporalio/activity';
import { CohortflowError, toFailure } from '../domain/errors.js';
import { failureKind } from '../domain/failures/index.js';
import type { StepActivities } from '../contracts/activities.js';
import { MOST_OWN_FAILURES, isOwnFailure, ownFailuresIn, type StepSign } from '../contracts/own-failures.js';
import { boundedCause, boundedFailure } from './bounded-failure.js';
import { executeStep, type Attempt, type StepServices } from './execute-step.js';

/** How often a working activity tells the server that it lives; far below the heartbeat timeout. */
const HEARTBEAT_MS = 5_000;

/** Any error as the failure that Temporal stores: its type is the code, retried as the catalogue says or not when `final`. */
export function toApplicationFailure(
  error: unknown,
  facts: Readonly<Record<string, unknown>> = {},
  final = false,
): ApplicationFailure {
  const { code, message, details } = boundedFailure(error);
  const cause = error instanceof CohortflowError ? undefined : boundedCause(error);
  return ApplicationFailure.create({
    type: code,
    message,
    nonRetryable: final || !failureKind(code).retryable,
    details: [{ ...facts, ...details }],
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What an activity tells, where that is not the same for all. */
interface Telling {
  /** What a sign of life carries to the next attempt; else what the work said last. */
  readonly sign?: (said: string) => unknown;
  /** The failure that is thrown. */
  readonly failure?: typeof toApplicationFailure;
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
  { sign = (said) => said, failure = toApplicationFailure }: Telling = {},
): Promise<T> {
  const context = Context.current();
  const began = Date.now();
  const attempt: Attempt = {
    number: context.info.attempt,
    started: new Date(began).toISOString(),
    seconds: () => (Date.now() - began) / 1000,
  };
  let last = '';
  const timer = setInterval(() => context.heartbeat(sign(last)), everyMs);
  try {
    return await work(attempt, context.cancellationSignal, (message) => {
      last = message;
    });
  } catch (error) {
    // The cancellation's own error must pass unchanged: it tells the server that the cancel was heeded.
    if (context.cancellationSignal.aborted) await context.cancelled;
    const { number, started } = attempt;
    if (error instanceof ApplicationFailure) throw error;
    throw failure(error, { attempt: number, started, seconds: attempt.seconds() });
  } finally {
    clearInterval(timer);
  }
}

/**
 * What a heavy step tells. The server bounds attempts alone and cannot tell a step that fails from a worker that is lost, so
 * attempts count their own failures and hand the number on: the last that is allowed is thrown as one that is not retried. A
 * number that got lost with a worker on its way makes one more try, no more.
 */
function countingOwnFailures(): Telling {
  const context = Context.current();
  const before = ownFailuresIn(context.info.heartbeatDetails);
  const signWith = (said: string, ownFailures: number): StepSign => ({ said, ownFailures });
  return {
    sign: (said) => signWith(said, before),
    failure: (error, facts) => {
      const { code } = toFailure(error);
      if (!isOwnFailure(code) || !failureKind(code).retryable) return toApplicationFailure(error, facts);
      const now = before + 1;
      if (now >= MOST_OWN_FAILURES) return toApplicationFailure(error, facts, true);
      context.heartbeat(signWith('', now));
      return toApplicationFailure(error, facts);
    },
  };
}

/** The longest margin before the server's time-out of an attempt. */
const MARGIN_MS = 60_000;

/**
 * Runs `work` with a signal that also aborts shortly before the server would give the attempt up: what takes too long in a
 * living worker is then a failure of its own like any other, and its process is ended.
 */
async function inTime<T>(signal: AbortSignal, step: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { startToCloseTimeoutMs } = Context.current().info;
  const most = startToCloseTimeoutMs - Math.min(MARGIN_MS, startToCloseTimeoutMs / 10);
  const late = new AbortController();
  const tell = (): void =>
    late.abort(new CohortflowError('StepTimeout', `${step} was not done after ${Math.round(most / 60_000)} minutes`));
  const timer = setTimeout(tell, most);
  try {
    return await work(AbortSignal.any([signal, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}

/** The heavy activities: one generic step runner. */
export function createStepActivities(services: StepServices): StepActivities {
  return {
    runStep: (request) =>
      heartbeating(
        (attempt, signal, progress) =>
          inTime(signal, request.step, (both) => executeStep(request, services, attempt, both, progress)),
        HEARTBEAT_MS,
        countingOwnFailures(),
      ),
  };
}
