import { WorkflowNotFoundError, isGrpcServiceError, type Client, type Connection } from '@temporalio/client';
import { isOpenHere } from '../activities/output-owner.js';
import type { PoolClaim } from '../contracts/activities.js';
import { CLAIM_SIGNAL, type PoolHolder } from '../contracts/pools.js';
import { poolWorkflowId } from '../contracts/workflow-ids.js';
import { CohortflowError, messageOf } from '../domain/errors.js';
import type { CohortServer, ServerIdentity } from '../ports/cohort-server.js';
import type { RunClaim } from '../ports/run-ledger.js';
import { formerHolders } from './former-holders.js';
import { missingSearchAttributes } from './search-attributes.js';

/** Codes of gRPC: a server that does not say, or not to us. */
const CLOSED: readonly number[] = [7, 12];

/** {@link CohortServer} through the SDK's client. */
export class TemporalCohortServer implements CohortServer {
  /** @param taskQueue queue of the workflows, where a pool's workflow is started too */
  constructor(
    private readonly client: () => Client,
    private readonly taskQueue: string,
  ) {}

  async isOpen(workflowId: string, runId?: string): Promise<boolean> {
    try {
      const { workflow } = this.client();
      // Asked by its id alone: a run that was reset or continued as new goes on under another run id, and has the same first.
      const { status, runId: last, raw } = await workflow.getHandle(workflowId).describe();
      if (runId === undefined || last === runId) return status.name === 'RUNNING';
      const first = raw.workflowExecutionInfo?.firstRunId ?? '';
      if (first !== '') return first === runId && status.name === 'RUNNING';
      return (await workflow.getHandle(workflowId, runId).describe()).status.name === 'RUNNING';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      // Taking an output folder from a running cohort would be worse than asking again.
      const message = `asking for workflow ${workflowId}: ${messageOf(error)}`;
      throw new CohortflowError('ServerUnavailable', message, {}, error);
    }
  }

  /**
   * True when a run that has not written its end is open.
   *
   * @throws CohortflowError `OutputBusy` when it runs on another server, which nobody here can ask; `ServerUnavailable`
   */
  isOpenRun(run: Omit<RunClaim, 'startedAt'>): Promise<boolean> {
    return isOpenHere(this, run);
  }

  async identity(): Promise<ServerIdentity> {
    const { options, connection, workflowService } = this.client();
    const { namespace } = options;
    const address = (connection as Partial<Connection>).options?.address ?? 'unknown address';
    try {
      const { namespaceInfo } = await workflowService.describeNamespace({ namespace });
      const id = namespaceInfo?.id ?? '';
      return { namespaceId: id === '' ? `${namespace} at ${address}` : id, namespace, address };
    } catch (error) {
      if (isGrpcServiceError(error) && CLOSED.includes(error.code)) {
        return { namespaceId: `${namespace} at ${address}`, namespace, address };
      }
      throw new CohortflowError('ServerUnavailable', `asking which server this is: ${messageOf(error)}`, {}, error);
    }
  }

  async claimPool(claim: PoolClaim, patient: boolean): Promise<void> {
    const { pool } = claim;
    const client = this.client();
    const workflowId = poolWorkflowId(pool);
    try {
      await client.workflow.getHandle(workflowId).signal(CLAIM_SIGNAL, claim);
      return;
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
    const holders = await this.heldBefore(pool, patient);
    await client.workflow.signalWithStart('resourcePool', {
      workflowId,
      taskQueue: this.taskQueue,
      args: [holders.length === 0 ? { pool } : { pool, holders }],
      signal: CLAIM_SIGNAL,
      signalArgs: [claim],
      staticSummary: `pool ${pool}`,
    });
  }

  private async heldBefore(pool: string, patient: boolean): Promise<readonly PoolHolder[]> {
    try {
      return await formerHolders(this.client(), pool);
    } catch (error) {
      // Better too many at once than nobody for ever.
      if (!patient) return [];
      const message = `asking who held slots of the pool ${pool} before: ${messageOf(error)}`;
      throw new CohortflowError('ServerUnavailable', message, {}, error);
    }
  }

  async hasSearchAttributes(): Promise<boolean> {
    return (await missingSearchAttributes(this.client())).length === 0;
  }
}
