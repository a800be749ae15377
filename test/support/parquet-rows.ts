import { DuckDBInstance } from '@duckdb/node-api';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCHEMA_FILE, type GroupSchema } from '../../src/domain/feature-table/group-schema.js';
import { latestSql, parquetSource } from '../../src/domain/feature-table/latest-sql.js';

/** Columns with their types, and rows with every digit of their numbers. */
export interface ParquetRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

async function queried(sql: string): Promise<ParquetRows> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  try {
    const result = await connection.runAndReadAll(sql);
    const types = result.columnTypes().map(String);
    const columns = result.columnNames().map((name, at) => `${name} ${types[at]}`);
    return { columns, rows: result.getRows() };
  } finally {
    connection.disconnectSync();
  }
}

/** A Parquet file as it is. */
export const parquetRows = (path: string): Promise<ParquetRows> =>
  queried(`SELECT * FROM read_parquet('${path.replaceAll("'", "''")}', hive_partitioning = false)`);

/** The latest rows of a feature group's folder, ordered by their identifier, without the times at which they were written. */
export function groupRows(folder: string): Promise<ParquetRows> {
  const schema = JSON.parse(readFileSync(join(folder, SCHEMA_FILE), 'utf8')) as GroupSchema;
  const sql = latestSql({
    source: parquetSource(folder),
    identifier: schema.recordIdentifier,
    eventTime: schema.eventTimeName,
    columns: schema.columns.map(({ name }) => name),
  });
  return queried(`${sql}\nORDER BY "${schema.recordIdentifier}"`);
}
