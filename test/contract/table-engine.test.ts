import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { DuckDbTables } from '../../src/adapters/local/duckdb-tables.js';
import type { TableEngine } from '../../src/ports/table-engine.js';
import { temporaryFolder } from '../support/run-step.js';

const ENGINES: Readonly<Record<string, () => TableEngine>> = { DuckDbTables: () => new DuckDbTables() };

async function readParquet(path: string): Promise<unknown[][]> {
  const connection = await (await DuckDBInstance.create()).connect();
  const found = await connection.runAndReadAll(
    `SELECT * FROM read_parquet('${path.replaceAll("'", "''")}', hive_partitioning = false)`,
  );
  return found.getRows();
}

describe.each(Object.entries(ENGINES))('TableEngine %s', (_, create) => {
  const never = new AbortController().signal;

  it('keeps numbers exactly, texts as they are, order, and nulls', async () => {
    const folder = temporaryFolder('tables');
    const csv = join(folder, "it's.csv");
    writeFileSync(csv, 'id,a b,"c ""d"""\nx1,0.1,"one, ""two""\nthree"\nx0,,\nx2,1e-300,007\n');
    const columns = [
      { name: 'id', type: 'text' },
      { name: 'a b', type: 'number' },
      { name: 'c "d"', type: 'text' },
    ] as const;
    const parquet = join(folder, 'out.parquet');
    await create().csvToParquet(csv, columns, parquet, never);
    expect(await readParquet(parquet)).toEqual([
      ['x1', 0.1, 'one, "two"\nthree'],
      ['x0', null, null],
      ['x2', 1e-300, '007'],
    ]);
  });

  it('writes 3,000 columns', async () => {
    const folder = temporaryFolder('wide');
    const csv = join(folder, 'wide.csv');
    const names = Array.from({ length: 3000 }, (_unused, n) => `g${n}`);
    writeFileSync(csv, `${names.join(',')}\n${names.map((_name, n) => n / 7).join(',')}\n`);
    const columns = names.map((name) => ({ name, type: 'number' }) as const);
    await create().csvToParquet(csv, columns, join(folder, 'wide.parquet'), never);
    const [row] = await readParquet(join(folder, 'wide.parquet'));
    expect(row?.[2999]).toBe(2999 / 7);
  });

  it('refuses a table that does not fit its columns', async () => {
    const folder = temporaryFolder('unfit');
    const csv = join(folder, 'unfit.csv');
    writeFileSync(csv, 'a\nnot a number\n');
    const writing = create().csvToParquet(csv, [{ name: 'a', type: 'number' }], join(folder, 'x.parquet'), never);
    await expect(writing).rejects.toMatchObject({ code: 'InternalError' });
  });

  it('finds the rows of a record and its parts, and writes a table again without them, all else as it was', async () => {
    const folder = temporaryFolder('records');
    // Folders as a feature store names them are no columns.
    mkdirSync(join(folder, 'year=2026'));
    const csv = join(folder, 'year=2026', 'records.csv');
    const lines = [
      'Case_ID,x,is_deleted',
      'C-1,0.1,false',
      'C-10,2,false',
      'C-1/late,3,false',
      'C-1,,true',
      ',5,false',
    ];
    writeFileSync(csv, [...lines, "C'2,6,false", ''].join('\n'));
    const columns = [
      { name: 'Case_ID', type: 'text' },
      { name: 'x', type: 'number' },
      { name: 'is_deleted', type: 'text' },
    ] as const;
    const engine = create();
    const before = join(folder, 'year=2026', "before's.parquet");
    await engine.csvToParquet(csv, columns, before, never);
    expect(await engine.columns(before, never)).toEqual(columns);
    const rows = { column: 'Case_ID', key: 'C-1', but: { column: 'is_deleted', value: 'true' } };
    expect(await engine.keysOf(before, rows, never)).toEqual(['C-1', 'C-1/late']);
    expect(await engine.keysOf(before, { column: 'Case_ID', key: "C'2" }, never)).toEqual(["C'2"]);
    expect(await engine.keysOf(before, { column: 'Case_ID', key: 'C' }, never)).toEqual([]);
    const after = join(folder, 'year=2026', 'after.parquet');
    await engine.withoutRows(before, rows, after, never);
    expect(await readParquet(after)).toEqual([
      ['C-10', 2, 'false'],
      ['C-1', null, 'true'],
      [null, 5, 'false'],
      ["C'2", 6, 'false'],
    ]);
    expect(await engine.columns(after, never)).toEqual(columns);
  });

  it('stops when it is aborted before it began', async () => {
    const writing = create().csvToParquet('/nowhere.csv', [], '/nowhere.parquet', AbortSignal.abort());
    await expect(writing).rejects.toThrow(/abort/i);
  });
});
