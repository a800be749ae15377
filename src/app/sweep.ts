import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { sweepWork, type SweepServices } from '../activities/sweep.js';
import type { AwsSettings } from '../config/aws-settings.js';
import type { RemoteExecutorName } from '../contracts/remote-work.js';
import type { SweepRequest, SweepResult, WorkflowStanding } from '../contracts/sweep.js';
import { CohortflowError, messageOf } from '../domain/errors.js';
import type { Executors } from './executors.js';

/** The services that the settings speak of. */
export function configuredExecutors({ sagemaker, dragen }: AwsSettings): readonly RemoteExecutorName[] {
  return [
    ...(sagemaker === undefined ? [] : ['sagemaker' as const]),
    ...(dragen === undefined ? [] : ['dragen' as const]),
  ];
}

/**
 * What a Temporal server says of a workflow.
 *
 * @throws CohortflowError `ServerUnavailable` when it does not answer: that decides nothing
 */
export async function workflowStanding(client: Client, workflowId: string): Promise<WorkflowStanding> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' ? 'open' : 'closed';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'unknown';
    throw new CohortflowError('ServerUnavailable', `asking for ${workflowId}: ${messageOf(error)}`, {}, error);
  }
}

/** What a sweep of this installation asks; also what {@link createSweepActivities} of a worker is made with. */
export function sweepServices(executors: Executors, client: () => Client): SweepServices {
  return { executor: executors, standing: (workflowId) => workflowStanding(client(), workflowId) };
}

/** Sweeps once. */
export function sweep(
  request: SweepRequest,
  executors: Executors,
  client: Client,
  signal: AbortSignal,
): Promise<SweepResult> {
  return sweepWork(
    request,
    sweepServices(executors, () => client),
    signal,
  );
}
