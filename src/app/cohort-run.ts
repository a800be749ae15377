import { createHash } from 'node:crypto';
import {
  ApplicationFailure,
  CancelledFailure,
  WorkflowFailedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
  type Client,
  type WorkflowHandle,
} from '@temporalio/client';
import type { MultimodalInput } from '../contracts/inputs.js';
import type { CohortResult } from '../contracts/results.js';
import { CohortflowError } from '../domain/errors.js';
import { isFailureCode } from '../domain/failures/index.js';

/** The workflow id of runs into an output: made from its place, so that it is also the lock on it. */
export function cohortWorkflowId(output: string): string {
  return `cohortflow-${createHash('sha256').update(output).digest('hex').slice(0, 12)}`;
}

/** What is started, and under which id. */
export interface RunStart {
  readonly type: string;
  readonly workflowId: string;
}

/** Starts the cohort, or attaches to the one that runs under the same id: into the same output, that is. */
export async function startOrAttach(
  client: Client,
  taskQueue: string,
  input: MultimodalInput,
  { type, workflowId }: RunStart = { type: 'multimodalCohort', workflowId: cohortWorkflowId(input.output) },
): Promise<{ readonly handle: WorkflowHandle; readonly attached: boolean }> {
  const attached = await isRunning(client, workflowId);
  const handle = await client.workflow.start(type, {
    workflowId,
    taskQueue,
    args: [input],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    staticSummary: 'cohort',
    // Where the server divides a queue fairly, cohorts get equal turns, however many units each has waiting.
    priority: { fairnessKey: workflowId },
  });
  return { handle, attached };
}

/**
 * Type, run id and input of a run that has ended, as the server remembers them.
 *
 * @throws CohortflowError `RunNotFound` when it does not
 */
export async function endedRun(
  client: Client,
  workflowId: string,
): Promise<{ readonly type: string; readonly runId: string; readonly input: MultimodalInput }> {
  try {
    const handle = client.workflow.getHandle(workflowId);
    const { type, runId } = await handle.describe();
    const started = (await handle.fetchHistory()).events?.[0]?.workflowExecutionStartedEventAttributes;
    const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
    let payloads = [...(started?.input?.payloads ?? [])];
    for (const codec of [...payloadCodecs].reverse()) payloads = await codec.decode(payloads);
    const [payload] = payloads;
    if (payload === undefined) throw new CohortflowError('RunNotFound', `the run ${workflowId} had no input`);
    return { type, runId, input: payloadConverter.fromPayload<MultimodalInput>(payload) };
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new CohortflowError('RunNotFound', `the server knows no run ${workflowId}`, {}, error);
  }
}

/** True when a workflow of that id is open. */
export async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/**
 * True when nothing of a run is open any more. Below a run that was terminated studies still end: they are cancelled, and
 * need a worker to stop what they are doing and to write their outcomes.
 */
export async function isOver(client: Client, workflowId: string): Promise<boolean> {
  let status: string;
  try {
    status = (await client.workflow.getHandle(workflowId).describe()).status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return true;
    throw error;
  }
  // These two end when all below them has ended.
  if (status === 'COMPLETED' || status === 'CANCELLED') return true;
  if (status === 'RUNNING') return false;
  const query = `RootWorkflowId = '${workflowId}' AND ExecutionStatus = 'Running'`;
  return (await client.workflow.count(query)).count === 0;
}

/** The result of a cohort; its failure as a coded error. */
export async function cohortResult(handle: WorkflowHandle): Promise<CohortResult> {
  try {
    return (await handle.result()) as CohortResult;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    if (cause instanceof CancelledFailure) throw new CohortflowError('Cancelled', 'the run was cancelled');
    for (let at: unknown = cause; at instanceof Error; at = at.cause) {
      if (at instanceof ApplicationFailure && at.type != null && isFailureCode(at.type)) {
        throw new CohortflowError(at.type, at.message, (at.details?.[0] ?? {}) as Record<string, unknown>, error);
      }
    }
    throw new CohortflowError(
      'Terminated',
      `the cohort's workflow ended: ${cause?.message ?? error.message}`,
      {},
      error,
    );
  }
}
