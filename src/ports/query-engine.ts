/** One cell of an answer as text; null where there is no value. */
export type TextCell = string | null;

export interface QueryOptions {
  readonly signal: AbortSignal;
}

/** Asks tables by SQL. */
export interface QueryEngine {
  /**
   * Rows of the answer, streamed, cells in the order of the query. Numbers are texts that read back as the same number,
   * however each engine writes them. Throws `QueryFailed`; the signal's reason after an abort, when the query is stopped.
   */
  rows(sql: string, options: QueryOptions): AsyncIterable<readonly TextCell[]>;
}
