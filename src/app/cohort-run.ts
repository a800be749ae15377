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
import { PROGRESS_QUERY, type CohortProgress, type FanOutProgress } from '../contracts/progress.js';
import type { CohortResult } from '../contracts/results.js';
import { laneWorkflowId, modalityWorkflowId, type Modality } from '../contracts/workflow-ids.js';
import { CohortflowError } from '../domain/errors.js';
import { isFailureCode } from '../domain/failures/index.js';

/** The workflow id of runs into an output: made from its place, so that it is also the lock on it. */
export function cohortWorkflowId(output: string): string {
  return `cohortflow-${createHash('sha256').update(output).digest('hex').slice(0, 12)}`;
}

/** Starts the cohort, or attaches to the one that runs into the same output. */
export async function startOrAttach(
  client: Client,
  taskQueue: string,
  input: MultimodalInput,
): Promise<{ readonly handle: WorkflowHandle; readonly attached: boolean }> {
  const workflowId = cohortWorkflowId(input.output);
  const attached = await isRunning(client, workflowId);
  const handle = await client.workflow.start('multimodalCohort', {
    workflowId,
    taskQueue,
    args: [input],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    staticSummary: 'cohort',
  });
  return { handle, attached };
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

/** Where each modality stands, asked of the workflows that know. */
export interface RunProgress {
  readonly phase: CohortProgress['phase'];
  readonly startedAt: string;
  readonly modalities: Readonly<Partial<Record<Modality, FanOutProgress>>>;
}

async function ask(client: Client, workflowId: string): Promise<CohortProgress | undefined> {
  try {
    return await client.workflow.getHandle(workflowId).query<CohortProgress, []>(PROGRESS_QUERY);
  } catch {
    // Not started yet, or no worker to answer: nothing to show this time.
    return undefined;
  }
}

/** Adds what the lanes of a large cohort say to what their parent knows: it hears of a lane only when it has ended. */
async function withLanes(client: Client, workflowId: string, known: FanOutProgress): Promise<FanOutProgress> {
  const lanes = Array.from({ length: known.lanes }, (_, lane) => ask(client, laneWorkflowId(workflowId, lane)));
  const answers = (await Promise.all(lanes)).flatMap((answer) => (answer?.fanOut === undefined ? [] : [answer.fanOut]));
  if (answers.length === 0) return known;
  const sum = (name: 'done' | 'reused' | 'failed' | 'cancelled' | 'running'): number =>
    answers.reduce((total, lane) => total + lane[name], 0);
  return {
    ...known,
    done: sum('done'),
    reused: sum('reused'),
    failed: sum('failed'),
    cancelled: sum('cancelled'),
    running: sum('running'),
    lastFailures: answers.flatMap(({ lastFailures }) => lastFailures).slice(-5),
  };
}

/** Asks the root, its modalities and their lanes; undefined while nobody answers. */
export async function runProgress(client: Client, workflowId: string): Promise<RunProgress | undefined> {
  const root = await ask(client, workflowId);
  if (root === undefined) return undefined;
  const modalities: Partial<Record<Modality, FanOutProgress>> = {};
  await Promise.all(
    root.children.map(async (modality) => {
      const id = modalityWorkflowId(workflowId, modality);
      const fanOut = (await ask(client, id))?.fanOut;
      if (fanOut !== undefined) modalities[modality] = fanOut.lanes > 0 ? await withLanes(client, id, fanOut) : fanOut;
    }),
  );
  return { phase: root.phase, startedAt: root.startedAt, modalities };
}
