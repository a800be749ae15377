/** Type of a column of a Parquet file. */
export type ColumnType = 'text' | 'number';

export interface ColumnSpec {
  readonly name: string;
  readonly type: ColumnType;
}

/** Columnar tables on disk. */
export interface TableEngine {
  /**
   * Writes a CSV (with a header, columns in the order of `columns`, empty cells null) as one Parquet file, row order kept.
   * Throws `InternalError` when the two do not fit.
   */
  csvToParquet(csv: string, columns: readonly ColumnSpec[], parquet: string, signal: AbortSignal): Promise<void>;
}
