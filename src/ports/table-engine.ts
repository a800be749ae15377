/** Type of a column of a Parquet file. */
export type ColumnType = 'text' | 'number';

export interface ColumnSpec {
  readonly name: string;
  readonly type: ColumnType;
}

/** Rows of one record and of its parts: those of which `column` is `key` or begins with `key/`. */
export interface RecordRows {
  readonly column: string;
  readonly key: string;
  /** Rows that do not count, whatever their key. */
  readonly but?: { readonly column: string; readonly value: string };
}

/** Columnar tables on disk. */
export interface TableEngine {
  /**
   * Writes a CSV (with a header, columns in the order of `columns`, empty cells null) as one Parquet file, row order kept.
   * Throws `InternalError` when the two do not fit.
   */
  csvToParquet(csv: string, columns: readonly ColumnSpec[], parquet: string, signal: AbortSignal): Promise<void>;
  /** Writes a Parquet file as CSV (with a header, nulls empty), row order kept; numbers read back as they were. */
  parquetToCsv(parquet: string, csv: string, signal: AbortSignal): Promise<void>;
  /** Columns of a Parquet file in order; what is no number counts as text. */
  columns(parquet: string, signal: AbortSignal): Promise<readonly ColumnSpec[]>;
  /** The value of `column` in each of the rows, in row order. */
  keysOf(parquet: string, rows: RecordRows, signal: AbortSignal): Promise<readonly string[]>;
  /** Writes a Parquet file again as `target` without the rows, all else as it was. */
  withoutRows(parquet: string, rows: RecordRows, target: string, signal: AbortSignal): Promise<void>;
  /** Writes a Parquet file again as `target` with nothing in the rows, which keep their places, all else as it was. */
  withRowsEmpty(parquet: string, rows: RecordRows, target: string, signal: AbortSignal): Promise<void>;
}
