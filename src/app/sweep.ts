import { WorkflowNotFoundError, type Client, type WorkflowExecutionDescription } from '@temporalio/client';
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

/** Whether one run may be what another one became; a server that does not say leaves the doubt. */
function maybeSameChain(...runs: readonly WorkflowExecutionDescription[]): boolean {
  const [one = '', other = ''] = runs.map(({ raw }) => raw.workflowExecutionInfo?.firstRunId ?? '');
  return one === '' || other === '' || one === other;
}

/**
 * What a Temporal server says of a workflow.
 *
 * @param runId of the run that began the work. The same command given again has the same workflow ids: another run that is
 *   open does not wait for this one's work, unless it goes on where this one was (by a reset, or as new)
 * @throws CohortflowError `ServerUnavailable` when it does not answer: that decides nothing
 */
export async function workflowStanding(client: Client, workflowId: string, runId?: string): Promise<WorkflowStanding> {
  try {
    const run = await client.workflow.getHandle(workflowId, runId).describe();
    if (run.status.name === 'RUNNING') return 'open';
    if (runId === undefined) return 'closed';
    const latest = await client.workflow.getHandle(workflowId).describe();
    return latest.status.name === 'RUNNING' && maybeSameChain(run, latest) ? 'open' : 'closed';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'unknown';
    throw new CohortflowError('ServerUnavailable', `asking for ${workflowId}: ${messageOf(error)}`, {}, error);
  }
}

/** What a sweep of this installation asks; also what {@link createSweepActivities} of a worker is made with. */
export function sweepServices(executors: Executors, client: () => Client): SweepServices {
  return { executor: executors, standing: (workflowId, runId) => workflowStanding(client(), workflowId, runId) };
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
