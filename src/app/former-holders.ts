import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { POOL_QUERY, type PoolHolder } from '../contracts/pools.js';
import { poolWorkflowId } from '../contracts/workflow-ids.js';

/** How a pool's workflow ends while others hold slots of it; one that completed was empty. */
const FROM_OUTSIDE: ReadonlySet<string> = new Set(['TERMINATED', 'CANCELLED', 'FAILED', 'TIMED_OUT']);

/** A worker answers for a workflow that has ended, too. */
const PATIENCE_MS = 5_000;

/**
 * Who held slots of a pool whose workflow was ended from outside: they still run units in them, and a new one that knew
 * nothing of that would give the same slots to others. What it had granted is the most that each of them uses.
 */
export async function formerHolders(client: Client, pool: string): Promise<readonly PoolHolder[]> {
  const id = poolWorkflowId(pool);
  try {
    const { status, runId } = await client.workflow.getHandle(id).describe();
    if (!FROM_OUTSIDE.has(status.name)) return [];
    const handle = client.workflow.getHandle(id, runId);
    return await client.withDeadline(Date.now() + PATIENCE_MS, () =>
      handle.query<readonly PoolHolder[], []>(POOL_QUERY),
    );
  } catch (error) {
    // Never there, or no longer remembered.
    if (error instanceof WorkflowNotFoundError) return [];
    throw error;
  }
}
