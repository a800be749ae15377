import { csvLine, csvRows } from '../../domain/csv/index.js';
import type { Files } from '../../ports/files.js';

/** One cell: a number in its shortest exact form, a text, or nothing. */
export type Cell = string | number | null;

/** A line of CSV with its line end. */
export function csvRow(cells: readonly Cell[]): string {
  return `${csvLine(cells.map((cell) => (cell === null ? '' : String(cell))))}\n`;
}

/** Rows of one of our own tables, one at a time: a wide table does not fit whole. */
export function readRows(files: Files, path: string, signal: AbortSignal): AsyncIterable<string[]> {
  return csvRows(files.lines(path, signal));
}
