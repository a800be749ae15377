import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Files } from '../ports/files.js';
import type { ColumnSpec, RecordRows, TableEngine } from '../ports/table-engine.js';
import { isS3 } from './aws/s3-location.js';

/** {@link TableEngine} over tables wherever they are: those in S3 are worked on in a private folder of this machine. */
export class RoutedTables implements TableEngine {
  constructor(
    private readonly tables: TableEngine,
    private readonly files: Files,
  ) {}

  csvToParquet(csv: string, columns: readonly ColumnSpec[], parquet: string, signal: AbortSignal): Promise<void> {
    return this.here([csv], [parquet], signal, ([from = ''], [to = '']) =>
      this.tables.csvToParquet(from, columns, to, signal),
    );
  }

  parquetToCsv(parquet: string, csv: string, signal: AbortSignal): Promise<void> {
    return this.here([parquet], [csv], signal, ([from = ''], [to = '']) => this.tables.parquetToCsv(from, to, signal));
  }

  columns(parquet: string, signal: AbortSignal): Promise<readonly ColumnSpec[]> {
    return this.here([parquet], [], signal, ([from = '']) => this.tables.columns(from, signal));
  }

  keysOf(parquet: string, rows: RecordRows, signal: AbortSignal): Promise<readonly string[]> {
    return this.here([parquet], [], signal, ([from = '']) => this.tables.keysOf(from, rows, signal));
  }

  withoutRows(parquet: string, rows: RecordRows, target: string, signal: AbortSignal): Promise<void> {
    return this.here([parquet], [target], signal, ([from = ''], [to = '']) =>
      this.tables.withoutRows(from, rows, to, signal),
    );
  }

  withRowsEmpty(parquet: string, rows: RecordRows, target: string, signal: AbortSignal): Promise<void> {
    return this.here([parquet], [target], signal, ([from = ''], [to = '']) =>
      this.tables.withRowsEmpty(from, rows, to, signal),
    );
  }

  /** Runs work on paths of this machine that stand for the given ones, and brings back what it wrote. */
  private async here<T>(
    read: readonly string[],
    written: readonly string[],
    signal: AbortSignal,
    work: (read: readonly string[], written: readonly string[]) => Promise<T>,
  ): Promise<T> {
    if (![...read, ...written].some(isS3)) return work(read, written);
    const folder = await mkdtemp(join(tmpdir(), 'cohortflow-tables-'));
    const place = (path: string, at: number): string => (isS3(path) ? join(folder, String(at), basename(path)) : path);
    try {
      const from = read.map(place);
      const to = written.map((path, at) => place(path, read.length + at));
      for (const [at, path] of read.entries()) if (isS3(path)) await this.files.copy(path, from[at] ?? '', signal);
      for (const path of to) await this.files.makeFolder(join(path, '..'));
      const result = await work(from, to);
      for (const [at, path] of written.entries()) if (isS3(path)) await this.files.rename(to[at] ?? '', path);
      return result;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}
