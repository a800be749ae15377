import { ActivityFailure, CancellationScope, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { CohortActivities, StepActivities } from '../contracts/activities.js';
import { cpuQueue, remoteQueue } from '../contracts/queues.js';
import type { ServiceActivities } from '../contracts/service-activities.js';
import { AWAIT, COHORT_FILES, COMPUTE, PAGES, QUICK, RECORD, SUBMIT, TAKE_OVER } from './work-classes.js';

/** Quick activities run on the queue of the workflows themselves. */
export const quick = proxyActivities<CohortActivities>(QUICK);

/**
 * Writes the outcome of a unit that did not succeed. Where even that fails (a full disk) the unit still ends: the table of
 * outcomes then says that it left none. Not cancellable: a cancelled case still leaves its outcome.
 */
export async function recordOutcome(request: Parameters<CohortActivities['recordOutcome']>[0]): Promise<void> {
  try {
    await CancellationScope.nonCancellable(() => proxyActivities<CohortActivities>(RECORD).recordOutcome(request));
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
  }
}

/** Pages of units: looking for what is finished already takes its time where a page has many files. */
export const units = proxyActivities<CohortActivities>(PAGES);

/** Activities over the files of a whole cohort. */
export const cohortFiles = proxyActivities<CohortActivities>(COHORT_FILES);

/** Heavy steps run on the cpu queue that belongs to this workflow's queue, whatever that is called. */
export const runStep: StepActivities['runStep'] = (request) => {
  const { taskQueue } = workflowInfo();
  // Whose step it is the workflow's id says: the case's, or what stands for it.
  const options = { ...COMPUTE, taskQueue: cpuQueue(taskQueue), summary: request.step };
  return proxyActivities<StepActivities>(options).runStep(request);
};

/** Work of services: on a queue of its own that belongs to this workflow's queue. */
export function remoteWork(): ServiceActivities {
  const taskQueue = remoteQueue(workflowInfo().taskQueue);
  const submit = proxyActivities<ServiceActivities>({ ...SUBMIT, taskQueue });
  const wait = proxyActivities<ServiceActivities>({ ...AWAIT, taskQueue });
  const takeOver = proxyActivities<ServiceActivities>({ ...TAKE_OVER, taskQueue });
  return {
    submitWork: (request) => submit.submitWork(request),
    awaitWork: (request) => wait.awaitWork(request),
    adoptWork: (request) => takeOver.adoptWork(request),
    stopWork: (request) => takeOver.stopWork(request),
    ingestFeatures: (request) => takeOver.ingestFeatures(request),
    sweepRemote: (request) => takeOver.sweepRemote(request),
  };
}
