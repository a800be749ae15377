import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { CohortflowError, messageOf } from '../../domain/errors.js';
import type { ColumnSpec, RecordRows, TableEngine } from '../../ports/table-engine.js';

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** One file as it is: DuckDB would add what folders named `year=2026` say as columns. */
const parquetFile = (path: string): string => `read_parquet(${quoted(path)}, hive_partitioning = false)`;

/** True for the wanted rows; a null is nobody's. */
function condition({ column, key, but }: RecordRows): string {
  const name = identifier(column);
  const its = `(${name} = ${quoted(key)} OR starts_with(${name}, ${quoted(`${key}/`)}))`;
  const exempt = but === undefined ? '' : ` AND ${identifier(but.column)} IS DISTINCT FROM ${quoted(but.value)}`;
  return `coalesce(${its}${exempt}, false)`;
}

const NUMBERS = /^(DOUBLE|FLOAT|REAL|DECIMAL|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?)/;

/** DuckDB holds a row group in memory until it is full; its own size is for tables of a few columns. */
const CELLS_PER_ROW_GROUP = 16_000_000;
const LARGEST_ROW_GROUP = 122_880;
/** Row groups are made of whole vectors. */
const VECTOR = 2_048;

function rowGroupSize(columns: number): number {
  const rows = Math.floor(CELLS_PER_ROW_GROUP / Math.max(1, columns) / VECTOR) * VECTOR;
  return Math.min(LARGEST_ROW_GROUP, Math.max(VECTOR, rows));
}

/** {@link TableEngine} with DuckDB, in this process: step hosts and short commands use it, never the worker itself. */
export class DuckDbTables implements TableEngine {
  async csvToParquet(csv: string, columns: readonly ColumnSpec[], parquet: string, signal: AbortSignal): Promise<void> {
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
      'hive_partitioning = false',
      // A row of a wide table is long; the default line limit is 2 MB.
      'max_line_size = 100000000',
      `columns = {${types.join(', ')}}`,
    ];
    const source = `SELECT * FROM read_csv(${quoted(csv)}, ${options.join(', ')})`;
    await this.connected(signal, 'written as Parquet', (connection) =>
      copy(connection, source, parquet, columns.length),
    );
  }

  async parquetToCsv(parquet: string, csv: string, signal: AbortSignal): Promise<void> {
    await this.connected(signal, 'written as CSV', async (connection) => {
      await connection.run('SET preserve_insertion_order = true');
      const options = `FORMAT csv, HEADER, NULLSTR '', DELIMITER ',', QUOTE '"', ESCAPE '"'`;
      await connection.run(`COPY (SELECT * FROM ${parquetFile(parquet)}) TO ${quoted(csv)} (${options})`);
    });
  }

  async columns(parquet: string, signal: AbortSignal): Promise<readonly ColumnSpec[]> {
    return this.connected(signal, 'read', async (connection) => {
      const found = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${parquetFile(parquet)}`);
      return found.getRows().map(([name, type]) => ({
        name: String(name),
        type: NUMBERS.test(String(type)) ? 'number' : 'text',
      }));
    });
  }

  async keysOf(parquet: string, rows: RecordRows, signal: AbortSignal): Promise<readonly string[]> {
    return this.connected(signal, 'read', async (connection) => {
      const source = `SELECT ${identifier(rows.column)} FROM ${parquetFile(parquet)}`;
      const found = await connection.runAndReadAll(`${source} WHERE ${condition(rows)}`);
      return found.getRows().map(([key]) => String(key));
    });
  }

  async withoutRows(parquet: string, rows: RecordRows, target: string, signal: AbortSignal): Promise<void> {
    const source = `SELECT * FROM ${parquetFile(parquet)} WHERE NOT ${condition(rows)}`;
    const { length } = await this.columns(parquet, signal);
    await this.connected(signal, 'written again', (connection) => copy(connection, source, target, length));
  }

  async withRowsEmpty(parquet: string, rows: RecordRows, target: string, signal: AbortSignal): Promise<void> {
    const columns = (await this.columns(parquet, signal)).map(({ name }) => identifier(name));
    const cells = columns.map((name) => `CASE WHEN forgotten_row THEN NULL ELSE ${name} END AS ${name}`);
    const source = `SELECT ${cells.join(', ')} FROM (SELECT *, ${condition(rows)} AS forgotten_row FROM ${parquetFile(parquet)})`;
    await this.connected(signal, 'written again', (connection) => copy(connection, source, target, columns.length));
  }

  private async connected<T>(
    signal: AbortSignal,
    what: string,
    work: (connection: DuckDBConnection) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const connection = await instance.connect();
    // Interrupting is safe where terminating the thread is not.
    const stop = (): void => connection.interrupt();
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await work(connection);
    } catch (error) {
      signal.throwIfAborted();
      const message = `the table could not be ${what}: ${messageOf(error).slice(0, 500)}`;
      throw new CohortflowError('InternalError', message, {}, error);
    } finally {
      signal.removeEventListener('abort', stop);
      connection.closeSync();
      instance.closeSync();
    }
  }
}

async function copy(connection: DuckDBConnection, source: string, parquet: string, columns: number): Promise<void> {
  await connection.run('SET preserve_insertion_order = true');
  const options = `FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroupSize(columns)}`;
  await connection.run(`COPY (${source}) TO ${quoted(parquet)} (${options})`);
}
