import type { FailureCode } from '../domain/failures/index.js';

/**
 * How often a heavy step may fail of itself before its case fails. The loss of its worker (a deploy, a machine that was
 * taken away) is no failure of the step; how often that may happen, the workflows' class of work says.
 */
export const MOST_OWN_FAILURES = 4;

/** What attempts of a heavy step hand on with their signs of life. The server keeps it whatever becomes of the worker. */
export interface StepSign {
  /** What the step said last of its progress. */
  readonly said: string;
  /** How many of the attempts so far failed of themselves. */
  readonly ownFailures: number;
}

/** Failures of the attempts before, from what they handed on; a first attempt was given nothing. */
export function ownFailuresIn(sign: unknown): number {
  const { ownFailures } = (sign ?? {}) as Partial<StepSign>;
  return typeof ownFailures === 'number' ? ownFailures : 0;
}

/** False for an attempt that its worker gave back. */
export function isOwnFailure(code: FailureCode): boolean {
  return code !== 'WorkerShutdown';
}
