import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import {
  CONTROL_UPDATES,
  STEER_SIGNAL,
  type SteeringChange,
  type SteeringState,
  type WidthRequest,
} from '../contracts/control.js';
import { PROGRESS_QUERY, type CohortProgress } from '../contracts/progress.js';

/** Where a cohort or a lane stands. */
export const progressQuery = defineQuery<CohortProgress>(PROGRESS_QUERY);

/** Start nothing new; what runs goes on to its end. */
export const pauseUpdate = defineUpdate<SteeringState>(CONTROL_UPDATES.pause);

/** Go on. */
export const resumeUpdate = defineUpdate<SteeringState>(CONTROL_UPDATES.resume);

/** Most units at once from now on. */
export const setConcurrencyUpdate = defineUpdate<SteeringState, [WidthRequest]>(CONTROL_UPDATES.setConcurrency);

/** A change passed on by the parent. */
export const steerSignal = defineSignal<[SteeringChange]>(STEER_SIGNAL);
