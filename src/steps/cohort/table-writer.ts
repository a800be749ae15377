import { storeName } from '../../domain/feature-table/feature-names.js';
import type { ColumnSpec } from '../../ports/table-engine.js';
import type { JsonObject, StepCall } from '../step.js';
import { csvRow, type Cell } from './csv-rows.js';

/** A table made row by row: columns known, rows streamed. */
export interface TableSource {
  readonly columns: readonly ColumnSpec[];
  rows(): AsyncIterable<readonly Cell[]>;
}

/** Writes a table as CSV and, from it, as Parquet; returns the number of rows. Either file may be left out. */
export async function writeTable<P extends JsonObject>(
  table: TableSource,
  targets: { readonly csv?: string; readonly parquet: string },
  call: StepCall<P>,
): Promise<number> {
  const { io, signal } = call;
  const csv = targets.csv ?? `${io.scratchFolder}/${storeName(targets.parquet.slice(-40))}.csv`;
  let rows = 0;
  const lines = async function* (): AsyncIterable<string> {
    yield csvRow(table.columns.map(({ name }) => name));
    for await (const cells of table.rows()) {
      signal.throwIfAborted();
      rows += 1;
      yield csvRow(cells);
    }
  };
  await io.files.write(csv, lines());
  call.progress('writing Parquet');
  await io.files.makeFolder(targets.parquet.slice(0, targets.parquet.lastIndexOf('/')));
  await io.tables.csvToParquet(csv, table.columns, targets.parquet, signal);
  return rows;
}

/** A number, a text that is one, or nothing; the type of a column is the widest of its cells. */
export function isNumeric(cell: Cell): boolean {
  return (
    cell === null || typeof cell === 'number' || cell === '' || (cell.trim() !== '' && Number.isFinite(Number(cell)))
  );
}
