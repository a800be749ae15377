import type { PoolClaim } from '../contracts/activities.js';

/** Which server, and which namespace of it: two of them know nothing of each other's workflows. */
export interface ServerIdentity {
  /** Made by the server; where it does not say, name and address of the namespace. */
  readonly namespaceId: string;
  readonly namespace: string;
  readonly address: string;
}

/** What the activities ask of the Temporal server that their own cohort runs on. */
export interface CohortServer {
  /**
   * True when a workflow of that id is open; unknown there counts as closed. With a run id, only when it is that run or
   * one that goes on with it (continued as new, reset).
   *
   * @throws CohortflowError `ServerUnavailable` when the server does not answer: that decides nothing
   */
  isOpen(workflowId: string, runId?: string): Promise<boolean>;
  /** @throws CohortflowError `ServerUnavailable` */
  identity(): Promise<ServerIdentity>;
  /**
   * Tells a pool's workflow of a claim; starts it when there is none, with those who held slots of one that was ended from
   * outside.
   *
   * @param patient rather fail than start it without knowing who they are
   * @throws CohortflowError `ServerUnavailable`
   */
  claimPool(claim: PoolClaim, patient: boolean): Promise<void>;
  /** True when all search attributes of the product are registered. */
  hasSearchAttributes(): Promise<boolean>;
}
