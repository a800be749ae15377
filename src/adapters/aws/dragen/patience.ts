/** How long this and that may take, in ms. */
export interface Patience {
  /** So long an agent may be silent before its machine counts as lost. */
  readonly silent: number;
  /** So long a machine that was started may not be seen yet. */
  readonly unseen: number;
  /**
   * So long work that builds a hash table may be without a machine before another takes its place: it has not got one yet,
   * or has just ended.
   */
  readonly withoutMachine: number;
}

export const PATIENCE: Patience = { silent: 10 * 60_000, unseen: 120_000, withoutMachine: 5 * 60_000 };
