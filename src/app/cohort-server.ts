import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { PoolClaim } from '../contracts/activities.js';
import { CLAIM_SIGNAL } from '../contracts/pools.js';
import { poolWorkflowId } from '../contracts/workflow-ids.js';
import { CohortflowError, messageOf } from '../domain/errors.js';
import type { CohortServer } from '../ports/cohort-server.js';
import { missingSearchAttributes } from './search-attributes.js';

/** {@link CohortServer} through the SDK's client. */
export class TemporalCohortServer implements CohortServer {
  /** @param taskQueue queue of the workflows, where a pool's workflow is started too */
  constructor(
    private readonly client: () => Client,
    private readonly taskQueue: string,
  ) {}

  async isOpen(workflowId: string, runId?: string): Promise<boolean> {
    try {
      const { status } = await this.client().workflow.getHandle(workflowId, runId).describe();
      return status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      // Taking an output folder from a running cohort would be worse than asking again.
      const message = `asking for workflow ${workflowId}: ${messageOf(error)}`;
      throw new CohortflowError('ServerUnavailable', message, {}, error);
    }
  }

  async claimPool(claim: PoolClaim): Promise<void> {
    const { pool } = claim;
    await this.client().workflow.signalWithStart('resourcePool', {
      workflowId: poolWorkflowId(pool),
      taskQueue: this.taskQueue,
      args: [{ pool }],
      signal: CLAIM_SIGNAL,
      signalArgs: [claim],
      staticSummary: `pool ${pool}`,
    });
  }

  async hasSearchAttributes(): Promise<boolean> {
    return (await missingSearchAttributes(this.client())).length === 0;
  }
}
