import { proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { CohortActivities, StepActivities } from '../contracts/activities.js';
import { cpuQueue } from '../contracts/queues.js';
import { COHORT_FILES, COMPUTE, QUICK } from './work-classes.js';

/** Quick activities run on the queue of the workflows themselves. */
export const quick = proxyActivities<CohortActivities>(QUICK);

/** Activities over the files of a whole cohort. */
export const cohortFiles = proxyActivities<CohortActivities>(COHORT_FILES);

/** Heavy steps run on the cpu queue that belongs to this workflow's queue, whatever that is called. */
export const runStep: StepActivities['runStep'] = (request) => {
  const { taskQueue } = workflowInfo();
  const name = request.unit === undefined ? request.step : `${request.step} ${request.unit.caseId}`;
  const options = { ...COMPUTE, taskQueue: cpuQueue(taskQueue), summary: name };
  return proxyActivities<StepActivities>(options).runStep(request);
};
