import type { PoolClaim } from '../contracts/activities.js';

/** What the activities ask of the Temporal server that their own cohort runs on. */
export interface CohortServer {
  /**
   * True when a workflow of that id (and run, if given) is open; unknown there counts as closed.
   *
   * @throws CohortflowError `ServerUnavailable` when the server does not answer: that decides nothing
   */
  isOpen(workflowId: string, runId?: string): Promise<boolean>;
  /** Tells a pool's workflow of a claim; starts it when there is none. */
  claimPool(claim: PoolClaim): Promise<void>;
  /** True when all search attributes of the product are registered. */
  hasSearchAttributes(): Promise<boolean>;
}
