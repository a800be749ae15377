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
import { canonicalJson } from '../activities/canonical-json.js';
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

/** Fields that do not tell one run from another: a run that takes up failures goes on with the same command. */
const NOT_COMPARED: readonly string[] = ['schemaVersion', 'prepared', 'retryOf', 'takeOver'];

/** Names of the fields in which what is asked for differs from what an open run was given. */
export function differingFields(given: MultimodalInput, wanted: MultimodalInput): string[] {
  const [a, b] = [given, wanted] as unknown as readonly Readonly<Record<string, unknown>>[];
  // A flag that is off says what one says that is absent.
  const valueOf = (value: unknown): string => canonicalJson(value === undefined || value === false ? null : value);
  const names = new Set([...Object.keys(given), ...Object.keys(wanted)]);
  return [...names].filter((name) => !NOT_COMPARED.includes(name) && valueOf(a?.[name]) !== valueOf(b?.[name])).sort();
}

/** Attaching to a run that does something else would show its result as the answer to what was asked. */
async function refuseOther(client: Client, workflowId: string, wanted: MultimodalInput): Promise<void> {
  const input = await inputOf(client, workflowId);
  const fields = input === undefined ? [] : differingFields(input, wanted);
  if (fields.length === 0) return;
  throw new CohortflowError(
    'OutputBusy',
    `workflow ${workflowId} runs into this output, and was started with another ${fields.join(', ')}: ` +
      'give the command it was started with to come back to it, wait for it, or cancel it',
    { fields },
  );
}

/**
 * Starts the cohort, or attaches to the one that runs under the same id: into the same output, that is.
 *
 * @throws CohortflowError `OutputBusy` when the one that runs was started with something else
 */
export async function startOrAttach(
  client: Client,
  taskQueue: string,
  input: MultimodalInput,
  { type, workflowId }: RunStart = { type: 'multimodalCohort', workflowId: cohortWorkflowId(input.output) },
): Promise<{ readonly handle: WorkflowHandle; readonly attached: boolean }> {
  const attached = await isRunning(client, workflowId);
  if (attached) await refuseOther(client, workflowId, input);
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

/** What a workflow was started with: the first event of its history alone is read. */
async function inputOf(client: Client, workflowId: string, runId = ''): Promise<MultimodalInput | undefined> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
  let payloads = [...(history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [])];
  for (const codec of [...payloadCodecs].reverse()) payloads = await codec.decode(payloads);
  const [payload] = payloads;
  return payload === undefined ? undefined : payloadConverter.fromPayload<MultimodalInput>(payload);
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
    const input = await inputOf(client, workflowId, runId);
    if (input === undefined) throw new CohortflowError('RunNotFound', `the run ${workflowId} had no input`);
    return { type, runId, input };
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
