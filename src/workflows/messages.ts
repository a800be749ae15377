import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { PoolClaim } from '../contracts/activities.js';
import {
  COHORT_SIGNALS,
  CONTROL_UPDATES,
  type BreakerOrder,
  type InterimReport,
  type PartReport,
  type RetryAnswer,
  type RetryRequest,
  type RetryRound,
  type SteeringChange,
  type SteeringState,
  type WidthRequest,
} from '../contracts/control.js';
import { CLAIM_SIGNAL, GRANT_SIGNAL, POOL_QUERY, type PoolGrant, type PoolHolder } from '../contracts/pools.js';
import { PROGRESS_QUERY, type CohortProgress } from '../contracts/progress.js';

/** Where a cohort or a lane stands. */
export const progressQuery = defineQuery<CohortProgress>(PROGRESS_QUERY);

/** Start nothing new; what runs goes on to its end. */
export const pauseUpdate = defineUpdate<SteeringState>(CONTROL_UPDATES.pause);

/** Go on. */
export const resumeUpdate = defineUpdate<SteeringState>(CONTROL_UPDATES.resume);

/** Most units at once from now on. */
export const setConcurrencyUpdate = defineUpdate<SteeringState, [WidthRequest]>(CONTROL_UPDATES.setConcurrency);

/** Most units started in a minute from now on; 0 lifts the limit. */
export const setStartRateUpdate = defineUpdate<SteeringState, [number]>(CONTROL_UPDATES.setStartRate);

/** Run failed units again; without an argument all of them. */
export const retryFailedUpdate = defineUpdate<RetryAnswer, [RetryRequest]>(CONTROL_UPDATES.retryFailed);

/** Write the data set and the report of what has ended so far. */
export const reportUpdate = defineUpdate<InterimReport>(CONTROL_UPDATES.report);

/** A change passed on by the parent. */
export const steerSignal = defineSignal<[SteeringChange]>(COHORT_SIGNALS.steer);

/** Failed units to run again, chosen by the root. */
export const retryRoundSignal = defineSignal<[RetryRound]>(COHORT_SIGNALS.retryRound);

/** What a lane or a modality tells its parent. */
export const reportSignal = defineSignal<[PartReport]>(COHORT_SIGNALS.report);

/** What a cohort tells its lanes of its circuit breaker. */
export const breakerSignal = defineSignal<[BreakerOrder]>(COHORT_SIGNALS.breaker);

/** A claim on a shared pool. */
export const claimSignal = defineSignal<[PoolClaim]>(CLAIM_SIGNAL);

/** A pool's answer. */
export const grantSignal = defineSignal<[PoolGrant]>(GRANT_SIGNAL);

/** Who holds how many slots of a pool. */
export const poolQuery = defineQuery<readonly PoolHolder[]>(POOL_QUERY);
