import {
  ActivityFailure,
  CancellationScope,
  proxyActivities,
  workflowInfo,
  type ActivityOptions,
} from '@temporalio/workflow';
import type { CohortActivities, StepActivities } from '../contracts/activities.js';
import { cpuQueue, remoteQueue } from '../contracts/queues.js';
import type { ServiceActivities } from '../contracts/service-activities.js';
import { CLASSES, type Activities } from './work-classes.js';

/** An activity in its class; on the queue of the workflows themselves where nothing else is said. */
function inItsClass<K extends keyof Activities>(name: K, more: ActivityOptions = {}): Activities[K] {
  return proxyActivities<Activities>({ ...CLASSES[name], ...more })[name];
}

/** What belongs to no single unit, or to a page of them: quick, or over the files of a whole cohort. */
export const cohort: Omit<CohortActivities, 'recordOutcome'> = {
  claimPool: inItsClass('claimPool'),
  openWorkflows: inItsClass('openWorkflows'),
  prepareCohort: inItsClass('prepareCohort'),
  nextUnits: inItsClass('nextUnits'),
  selectFailed: inItsClass('selectFailed'),
  listFinished: inItsClass('listFinished'),
  compactOutcomes: inItsClass('compactOutcomes'),
  closeRun: inItsClass('closeRun'),
};

/**
 * Writes the outcome of a unit that did not succeed. Where even that fails (a full disk) the unit still ends: the table of
 * outcomes then says that it left none. Not cancellable: a cancelled case still leaves its outcome.
 */
export async function recordOutcome(request: Parameters<CohortActivities['recordOutcome']>[0]): Promise<void> {
  try {
    await CancellationScope.nonCancellable(() => inItsClass('recordOutcome')(request));
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
  }
}

/** Heavy steps run on the cpu queue that belongs to this workflow's queue, whatever that is called. */
export const runStep: StepActivities['runStep'] = (request) => {
  const { taskQueue } = workflowInfo();
  // Whose step it is the workflow's id says: the case's, or what stands for it.
  return inItsClass('runStep', { taskQueue: cpuQueue(taskQueue), summary: request.step })(request);
};

/** Work of services: on a queue of its own that belongs to this workflow's queue. */
export function remoteWork(): ServiceActivities {
  const there = { taskQueue: remoteQueue(workflowInfo().taskQueue) };
  return {
    submitWork: inItsClass('submitWork', there),
    awaitWork: inItsClass('awaitWork', there),
    adoptWork: inItsClass('adoptWork', there),
    stopWork: inItsClass('stopWork', there),
    ingestFeatures: inItsClass('ingestFeatures', there),
    sweepRemote: inItsClass('sweepRemote', there),
  };
}
