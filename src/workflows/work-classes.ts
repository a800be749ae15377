import { ActivityCancellationType, type ActivityOptions } from '@temporalio/workflow';
import type { CohortActivities, StepActivities } from '../contracts/activities.js';
import type { ServiceActivities } from '../contracts/service-activities.js';

/**
 * The named classes of work: every timeout, heartbeat and retry of the product stands here and nowhere else.
 *
 * All of them wait until a cancelled activity has really stopped: with the SDK's default the clean-up would race the work.
 */
const settled = { cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED } as const;

/** Seconds of work on the workflows' own queue: claiming slots of a pool, closing a run. */
export const QUICK: ActivityOptions = {
  ...settled,
  // Also how long a lost worker holds a cohort up: these activities do not heartbeat.
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds', maximumAttempts: 10 },
};

/** The outcome of a unit that failed. On a full disk it cannot be written either: the unit's end is not held up for long. */
export const RECORD: ActivityOptions = { ...QUICK, retry: { ...QUICK.retry, maximumAttempts: 5 } };

/** A page of units on the workflows' own queue: up to minutes where thousands of files are looked at over a slow network. */
export const PAGES: ActivityOptions = { ...QUICK, startToCloseTimeout: '10 minutes', heartbeatTimeout: '30 seconds' };

/** Work of a whole cohort on the workflows' own queue: checking a sheet of a million rows, compacting its outcomes. */
export const COHORT_FILES: ActivityOptions = {
  ...settled,
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute', maximumAttempts: 5 },
};

/**
 * How often a CPU-bound step is tried at all. Its own failures are fewer: the activity counts them (`MOST_OWN_FAILURES`). The
 * rest is for workers that were lost under it, by deploys, kills and machines taken away.
 */
export const MOST_COMPUTE_ATTEMPTS = 20;

/** CPU-bound steps in child processes. A lost process or worker is tried again; faults of the data are not retryable. */
export const COMPUTE: ActivityOptions = {
  ...settled,
  startToCloseTimeout: '12 hours',
  heartbeatTimeout: '30 seconds',
  retry: {
    initialInterval: '2 seconds',
    backoffCoefficient: 2,
    maximumInterval: '1 minute',
    maximumAttempts: MOST_COMPUTE_ATTEMPTS,
  },
};

/**
 * Submitting to a service that throttles: as the state machine this replaces, 15 s × 1.5, 8 retries (Temporal counts
 * attempts, so 9).
 */
export const SUBMIT: ActivityOptions = {
  ...settled,
  startToCloseTimeout: '2 minutes',
  retry: { initialInterval: '15 seconds', backoffCoefficient: 1.5, maximumInterval: '10 minutes', maximumAttempts: 9 },
};

/**
 * Waiting for work of a service. Heartbeats are rare, because each of them is billed; a worker that is lost is noticed after
 * two minutes, and the work goes on meanwhile.
 */
export const AWAIT: ActivityOptions = {
  ...settled,
  startToCloseTimeout: '10 days',
  heartbeatTimeout: '2 minutes',
  retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumInterval: '2 minutes', maximumAttempts: 20 },
};

/** Bringing the results of a service into their place or ours to it, and ending what it still does: minutes, or an hour. */
export const TAKE_OVER: ActivityOptions = {
  ...settled,
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '2 minutes',
  retry: { initialInterval: '5 seconds', backoffCoefficient: 2, maximumInterval: '2 minutes', maximumAttempts: 9 },
};

/** All that workflows may have done outside themselves. */
export type Activities = CohortActivities & StepActivities & ServiceActivities;

/** The class of each activity. */
export const CLASSES: Readonly<Record<keyof Activities, ActivityOptions>> = {
  ...{ claimPool: QUICK, openWorkflows: QUICK, recordOutcome: RECORD, nextUnits: PAGES },
  ...{ prepareCohort: COHORT_FILES, selectFailed: COHORT_FILES, listFinished: COHORT_FILES },
  ...{ compactOutcomes: COHORT_FILES, closeRun: COHORT_FILES, runStep: COMPUTE },
  ...{ submitWork: SUBMIT, awaitWork: AWAIT, adoptWork: TAKE_OVER, stopWork: TAKE_OVER },
  ...{ ingestFeatures: TAKE_OVER, sweepRemote: TAKE_OVER },
};

/** How often the work of a unit is given to a service that loses it before its case fails. */
export const MOST_REMOTE_TRIES = 3;

/** The same where the service took the work and then had no machine for it: nothing began, and there may be one later. */
export const MOST_TRIES_FOR_ROOM = 9;
