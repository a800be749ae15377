import { DuckDBInstance, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';
import { CohortflowError, messageOf } from '../../domain/errors.js';
import type { QueryEngine, QueryOptions, TextCell } from '../../ports/query-engine.js';

const text = (value: DuckDBValue): TextCell => (value === null ? null : String(value));

/** {@link QueryEngine} with DuckDB, in this process, over files of this machine. */
export class DuckDbQueries implements QueryEngine {
  /** @param spill folder for what does not fit into memory; DuckDB's own is one below the working directory */
  constructor(private readonly spill: string) {}

  async *rows(sql: string, { signal }: QueryOptions): AsyncIterable<readonly TextCell[]> {
    signal.throwIfAborted();
    const instance = await DuckDBInstance.create(':memory:', { threads: '1', temp_directory: this.spill });
    const connection = await instance.connect();
    // Interrupting is safe where terminating the thread is not.
    const stop = (): void => connection.interrupt();
    signal.addEventListener('abort', stop, { once: true });
    try {
      yield* this.answered(connection, sql, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof CohortflowError) throw error;
      throw new CohortflowError('QueryFailed', `DuckDB: ${messageOf(error).slice(0, 500)}`, {}, error);
    } finally {
      signal.removeEventListener('abort', stop);
      connection.closeSync();
      instance.closeSync();
    }
  }

  private async *answered(
    connection: DuckDBConnection,
    sql: string,
    signal: AbortSignal,
  ): AsyncIterable<readonly TextCell[]> {
    const result = await connection.stream(sql);
    for await (const rows of result.yieldRows()) {
      signal.throwIfAborted();
      for (const row of rows) yield row.map(text);
    }
  }
}
