import type { Client } from '@temporalio/client';
import { modalityWorkflowId, unitWorkflowId } from '../contracts/workflow-ids.js';
import { CohortflowError, messageOf } from '../domain/errors.js';
import type { Trace } from './case-traces.js';

/** Workflows asked for in one query. */
const IDS_AT_ONCE = 20;

/** The server deletes in the background; where it still has other work for a workflow, it tries again after minutes. */
const GONE_MS = 300_000;
const POLL_MS = 200;

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Ids that the workflows of a case's units have had below the cohorts of these ids. */
export function unitWorkflowIds(rootIds: readonly string[], keys: readonly string[]): readonly string[] {
  const cohorts = rootIds.flatMap((id) => [
    ...[id, modalityWorkflowId(id, 'imaging'), modalityWorkflowId(id, 'genomics')],
  ]);
  return [...new Set(cohorts.flatMap((cohort) => keys.map((key) => unitWorkflowId(cohort, key))))];
}

/** Every run of these workflows that the server still keeps; each is deleted with its history. */
export async function historyTraces(client: Client, workflowIds: readonly string[]): Promise<readonly Trace[]> {
  const runs = new Map<string, string[]>();
  try {
    for (let at = 0; at < workflowIds.length; at += IDS_AT_ONCE) {
      const some = workflowIds.slice(at, at + IDS_AT_ONCE);
      const query = some.map((id) => `WorkflowId = ${quoted(id)}`).join(' OR ');
      for await (const { workflowId, runId } of client.workflow.list({ query })) {
        runs.set(workflowId, [...(runs.get(workflowId) ?? []), runId]);
      }
    }
  } catch (error) {
    const message = `the server does not list workflows: ${messageOf(error)}`;
    throw new CohortflowError('ServerUnavailable', message, {}, error);
  }
  // All are asked for before the first is waited for: each takes the server its time.
  let asked: Promise<unknown> | undefined;
  const ask = (): Promise<unknown> =>
    Promise.all([...runs].flatMap(([workflowId, ids]) => ids.map((runId) => deleteRun(client, workflowId, runId))));
  return [...runs].map(([workflowId, runIds]) => ({
    what: 'histories on the Temporal server',
    where: workflowId,
    count: runIds.length,
    remove: async () => {
      await (asked ??= ask());
      for (const runId of runIds) await untilGone(client, workflowId, runId);
    },
  }));
}

/** Asks the server to delete a run; one that it no longer has is no error. */
function deleteRun(client: Client, workflowId: string, runId: string): Promise<void> {
  const workflowExecution = { workflowId, runId };
  return unlessGone(workflowId, async () => {
    await client.workflowService.deleteWorkflowExecution({ namespace: client.options.namespace, workflowExecution });
  }).then(() => undefined);
}

async function untilGone(client: Client, workflowId: string, runId: string): Promise<void> {
  const handle = client.workflow.getHandle(workflowId, runId);
  for (const until = Date.now() + GONE_MS; Date.now() < until;) {
    if (await unlessGone(workflowId, () => handle.describe())) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const message = `the server was asked to delete the history of ${workflowId} and has not done so yet: run this again`;
  throw new CohortflowError('ServerUnavailable', message);
}

/** Asks the server; true when it no longer knows the workflow. */
async function unlessGone(workflowId: string, ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
    return false;
  } catch (error) {
    if (isNotFound(error)) return true;
    const message = `deleting the history of ${workflowId}: ${messageOf(error)}`;
    throw new CohortflowError('ServerUnavailable', message, {}, error);
  }
}

/** gRPC's NOT_FOUND, however the SDK wraps it. */
function isNotFound(error: unknown): boolean {
  const GRPC_NOT_FOUND = 5;
  if (!(error instanceof Error)) return false;
  return error.name === 'WorkflowNotFoundError' || (error as { code?: unknown }).code === GRPC_NOT_FOUND;
}

/** Days for which the server keeps what has ended; undefined when it does not say. */
export async function retentionDays(client: Client): Promise<number | undefined> {
  try {
    const { config } = await client.workflowService.describeNamespace({ namespace: client.options.namespace });
    const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
    return seconds > 0 ? Math.ceil(seconds / 86_400) : undefined;
  } catch {
    return undefined;
  }
}
