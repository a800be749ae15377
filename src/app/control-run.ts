import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import {
  CONTROL_UPDATES,
  type InterimReport,
  type RetryAnswer,
  type RetryRequest,
  type SteeringState,
  type WidthRequest,
} from '../contracts/control.js';
import { CohortflowError, messageOf } from '../domain/errors.js';

/** A worker answers updates; without one they would wait for ever. */
const PATIENCE_MS = 15_000;

function noSuchRun(workflowId: string): CohortflowError {
  return new CohortflowError('RunNotFound', `no run ${workflowId} is open on this server`);
}

/** Tells a running cohort something and returns how it then stands. */
export function updateRun(
  client: Client,
  workflowId: string,
  update: Exclude<keyof typeof CONTROL_UPDATES, 'retryFailed' | 'report'>,
  request?: WidthRequest,
): Promise<SteeringState> {
  return send<SteeringState>(client, workflowId, CONTROL_UPDATES[update], request);
}

/** Has a running cohort take failed units in again; returns how many of each modality. */
export function retryFailed(client: Client, workflowId: string, request: RetryRequest): Promise<RetryAnswer> {
  return send<RetryAnswer>(client, workflowId, CONTROL_UPDATES.retryFailed, request);
}

/** A report takes as long as the tables of the cases that have ended. */
const REPORT_PATIENCE_MS = 10 * 60_000;

/** Has a running cohort write the data set and the report of what has ended so far. */
export function interimReport(client: Client, workflowId: string): Promise<InterimReport> {
  return send<InterimReport>(client, workflowId, CONTROL_UPDATES.report, undefined, REPORT_PATIENCE_MS);
}

/** How many units a retry took in, for people. */
export function retriedText(answer: RetryAnswer): string {
  const parts = Object.entries(answer).map(([modality, units]) => `${units} of ${modality}`);
  return `taken in again: ${parts.length === 0 ? 'nothing' : parts.join(', ')}`;
}

async function send<R>(
  client: Client,
  workflowId: string,
  name: string,
  request: unknown,
  patienceMs = PATIENCE_MS,
): Promise<R> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    return await client.withDeadline(Date.now() + patienceMs, () =>
      request === undefined
        ? handle.executeUpdate<R, []>(name)
        : handle.executeUpdate<R, [unknown]>(name, { args: [request] }),
    );
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw noSuchRun(workflowId);
    if (error instanceof WorkflowUpdateFailedError) {
      throw new CohortflowError('InvalidInput', messageOf(error.cause ?? error), {}, error);
    }
    const message = `${workflowId} did not answer within ${patienceMs / 1000} s: is a worker running?`;
    throw new CohortflowError('ServerUnavailable', message, {}, error);
  }
}

const ENDED = ['COMPLETED', 'FAILED', 'CANCELLED', 'TERMINATED', 'TIMED_OUT'];

/** Asks a running cohort to cancel; its children clean up and every case gets its outcome. */
export async function cancelRun(client: Client, workflowId: string): Promise<void> {
  // A server takes such a request for a run that has ended too, and nothing comes of it.
  const state = await stateOfRun(client, workflowId);
  if (ENDED.includes(state)) {
    throw new CohortflowError('RunNotFound', `run ${workflowId} has ended already (${state.toLowerCase()})`);
  }
  try {
    await client.workflow.getHandle(workflowId).cancel();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw noSuchRun(workflowId);
    throw error;
  }
}

/** State of a run as the server knows it, `RUNNING` and so on. */
export async function stateOfRun(client: Client, workflowId: string): Promise<string> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw noSuchRun(workflowId);
    throw error;
  }
}
