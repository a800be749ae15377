import type { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { StepRequest } from '../contracts/activities.js';
import type { Ending } from './metrics.js';

/** What log lines and spans of a step carry besides the SDK's ids. */
export interface StepLabels {
  /** Workflow id of the cohort: what comes before the first slash of its children's ids. */
  readonly run: string;
  readonly step: string;
  readonly modality: string;
  readonly case?: string;
}

/**
 * The case as it may be shown. Where case ids are replaced by keyed hashes, the workflow's id holds the hash, and that is
 * what logs show too.
 */
function shownCase(workflowId: string, { caseId, part }: NonNullable<StepRequest['unit']>): string {
  const key = part === '' ? caseId : `${caseId}/${part}`;
  return workflowId.endsWith(`/${key}`) ? key : (workflowId.split('/').at(-1) ?? '');
}

/** The cohort that a workflow id belongs to. */
export function runOf(workflowId: string): string {
  return workflowId.split('/', 1)[0] ?? '';
}

export function stepLabels({ info }: Context, { step, unit }: StepRequest): StepLabels {
  const workflowId = info.workflowExecution?.workflowId ?? '';
  const modality = unit?.modality ?? 'cohort';
  const shown = unit === undefined ? {} : { case: shownCase(workflowId, unit) };
  return { run: runOf(workflowId), step, modality, ...shown };
}

/** How an attempt that threw ended: whether the server will try again is for its retry policy to say. */
export function endingOf(error: unknown, { info }: Context): Omit<Ending, 'seconds'> {
  if (error instanceof CancelledFailure) {
    return error.message === 'WORKER_SHUTDOWN'
      ? { outcome: 'retried', code: 'WorkerShutdown' }
      : { outcome: 'cancelled', code: 'Cancelled' };
  }
  const failure = error instanceof ApplicationFailure ? error : undefined;
  const last = info.attempt >= (info.retryPolicy?.maximumAttempts || Infinity);
  const outcome = failure?.nonRetryable === true || last ? 'failed' : 'retried';
  return { outcome, code: failure?.type ?? 'InternalError' };
}
