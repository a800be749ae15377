import { CohortflowError } from '../domain/errors.js';
import type { FieldRules } from './input-check.js';
import type { RemoteExecutorName } from './remote-work.js';

/** Which work of services is looked for, and what is done with what belongs to nobody. */
export interface SweepRequest {
  readonly executors: readonly RemoteExecutorName[];
  /** Ends it; otherwise it is only listed. */
  readonly end: boolean;
  /** Younger work is left alone: its workflow may not be known yet. {@link SWEEP_AGE_MINUTES}. */
  readonly olderThanMinutes?: number;
  /**
   * Also what belongs to workflows that the server does not know. They may have outlived its memory of closed workflows, or
   * be another server's: whoever says so knows that no other server gives away work in this account.
   */
  readonly unknown?: boolean;
}

export const SWEEP_AGE_MINUTES = 10;

/** A machine of a pool ends itself after a quarter of an hour without work; one that did not in so many minutes never will. */
export const SWEEP_IDLE_MINUTES = 25;

/** Faults in the message of a failed sweep. */
const FAULTS_TOLD = 5;

/** What the workflow of a scheduled sweep is given. */
export interface SweepInput {
  readonly schemaVersion?: number;
  readonly executors: readonly RemoteExecutorName[];
  readonly olderThanMinutes?: number;
}

export const SWEEP_RULES: FieldRules = {
  schemaVersion: { kind: 'version', about: 'version of this input, 1' },
  executors: { kind: 'list', required: true, about: 'services to look at: sagemaker, dragen' },
  olderThanMinutes: { kind: 'number', about: 'younger work is left alone; 10' },
};

/** What a server says of a workflow. */
export type WorkflowStanding = 'open' | 'closed' | 'unknown';

/**
 * Why work is, or is not, taken for nobody's: its workflow has ended; the server does not know it; it is too young to tell;
 * the server did not answer; its tags name no workflow; it is a machine of a pool that has had no work for too long.
 */
export type SweepReason = 'closed' | 'unknown' | 'young' | 'unanswered' | 'untagged' | 'idle';

/** Work of ours that no running workflow was found for. */
export interface SweptWork {
  readonly executor: RemoteExecutorName;
  /** The service's own name of it. */
  readonly id: string;
  readonly name: string;
  readonly workflowId?: string;
  readonly since?: string;
  readonly reason: SweepReason;
  /** `left`: not ended, on purpose or because nobody asked; `failed`: see `message`. */
  readonly outcome: 'ended' | 'left' | 'failed';
  readonly message?: string;
}

export interface SweepResult {
  /** All work of ours that is alive. */
  readonly alive: number;
  /** That of running workflows. */
  readonly belongs: number;
  readonly found: readonly SweptWork[];
  /** Services that did not answer: nothing is known of their work. */
  readonly unasked: readonly { readonly executor: RemoteExecutorName; readonly message: string }[];
}

/** What a sweep left undone, as a failure; undefined when it looked everywhere and ended all that it was to end. */
export function incompleteSweep({ found, unasked }: SweepResult): CohortflowError | undefined {
  const failed = found.filter(({ outcome }) => outcome === 'failed');
  const faults = [
    ...unasked.map(({ executor, message }) => `${executor} was not looked at: ${message}`),
    ...failed.map(({ executor, id, message = 'no reason given' }) => `${executor} ${id} was not ended: ${message}`),
  ];
  if (faults.length === 0) return undefined;
  const more = faults.length > FAULTS_TOLD ? `; and ${faults.length - FAULTS_TOLD} more` : '';
  const details = { unasked: unasked.map(({ executor }) => executor), failed: failed.length };
  return new CohortflowError('SweepIncomplete', `${faults.slice(0, FAULTS_TOLD).join('; ')}${more}`, details);
}

export interface SweepActivities {
  /** Lists, and when told to ends, what services still do for no running workflow. Safe to repeat. */
  sweepRemote(request: SweepRequest): Promise<SweepResult>;
}
