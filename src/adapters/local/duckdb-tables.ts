import { DuckDBInstance } from '@duckdb/node-api';
import { CohortflowError, messageOf } from '../../domain/errors.js';
import type { ColumnSpec, TableEngine } from '../../ports/table-engine.js';

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** {@link TableEngine} with DuckDB, in this process: only step hosts use it, never the worker itself. */
export class DuckDbTables implements TableEngine {
  async csvToParquet(csv: string, columns: readonly ColumnSpec[], parquet: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const connection = await instance.connect();
    // Interrupting is safe where terminating the thread is not.
    const stop = (): void => connection.interrupt();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const types = columns.map(
        ({ name, type }) => `${identifier(name)}: ${quoted(type === 'number' ? 'DOUBLE' : 'VARCHAR')}`,
      );
      const options = [
        'header = true',
        "delim = ','",
        `quote = '"'`,
        `escape = '"'`,
        "nullstr = ''",
        'auto_detect = false',
        // A row of a wide table is long; the default line limit is 2 MB.
        'max_line_size = 100000000',
        `columns = {${types.join(', ')}}`,
      ];
      await connection.run('SET preserve_insertion_order = true');
      const source = `SELECT * FROM read_csv(${quoted(csv)}, ${options.join(', ')})`;
      await connection.run(`COPY (${source}) TO ${quoted(parquet)} (FORMAT parquet, COMPRESSION zstd)`);
    } catch (error) {
      signal.throwIfAborted();
      throw new CohortflowError(
        'InternalError',
        `the table could not be written as Parquet: ${messageOf(error).slice(0, 500)}`,
        {},
        error,
      );
    } finally {
      signal.removeEventListener('abort', stop);
      connection.closeSync();
      instance.closeSync();
    }
  }
}
