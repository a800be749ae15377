/** One cell of an answer as text; null where there is no value. */
export type TextCell = string | null;

export interface QueryOptions {
  readonly signal: AbortSignal;
  /**
   * Names this one question: asked again under the same name it is answered from the first time, not computed (and paid)
   * twice. At most 128 characters.
   */
  readonly token?: string;
}

/** Asks tables by SQL. */
export interface QueryEngine {
  /**
   * Rows of the answer, streamed, cells in the order of the query. Numbers are texts that read back as the same number,
   * however each engine writes them. Throws `QueryFailed`; the signal's reason after an abort, when the query is stopped.
   */
  rows(sql: string, options: QueryOptions): AsyncIterable<readonly TextCell[]>;
}
