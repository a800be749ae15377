import { defineQuery } from '@temporalio/workflow';
import { PROGRESS_QUERY, type CohortProgress } from '../contracts/progress.js';

/** Where a cohort or a lane stands. */
export const progressQuery = defineQuery<CohortProgress>(PROGRESS_QUERY);
