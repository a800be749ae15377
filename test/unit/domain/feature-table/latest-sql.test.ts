import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { latestSql, tableSource, visibleSql } from '../../../../src/domain/feature-table/latest-sql.js';

type Row = readonly [id: string, value: number | null, event: string, api: string, written: string, deleted: boolean];

/** The tables as the catalogue has them (`store`), or as our own files are (`files`). */
async function ask(kind: 'store' | 'files', rows: readonly Row[], sql: string): Promise<unknown[][]> {
  const connection = await (await DuckDBInstance.create()).connect();
  const [time, flag] = kind === 'store' ? ['TIMESTAMP', 'BOOLEAN'] : ['VARCHAR', 'VARCHAR'];
  await connection.run(
    `CREATE TABLE main."g-1" (case_id VARCHAR, f DOUBLE, ts VARCHAR, write_time ${time}, api_invocation_time ${time}, is_deleted ${flag})`,
  );
  for (const [id, value, event, api, written, deleted] of rows) {
    const at = (text: string): string => (kind === 'store' ? text.replace('T', ' ').replace('Z', '') : text);
    await connection.run(
      `INSERT INTO "g-1" VALUES ('${id}', ${String(value)}, '${event}', '${at(written)}', '${at(api)}', '${String(deleted)}')`,
    );
  }
  return (await connection.runAndReadAll(sql)).getRows();
}

const source = tableSource({ database: 'main', table: 'g-1' });
const latest = { source, identifier: 'Case_ID', eventTime: 'TS', columns: ['Case_ID', 'F'] };
const day = (at: number, clock = '00:00:00Z'): string => `2026-01-${String(at).padStart(2, '0')}T${clock}`;
const row = (
  id: string,
  value: number | null,
  event: string,
  more: { api?: string; written?: string; deleted?: boolean } = {},
): Row => [id, value, event, more.api ?? event, more.written ?? more.api ?? event, more.deleted ?? false];

describe.each(['store', 'files'] as const)('the latest records, over %s', (kind) => {
  const answer = async (rows: readonly Row[], asOf?: string): Promise<unknown[][]> => {
    const sql = latestSql({ ...latest, ...(asOf === undefined ? {} : { asOf }) });
    return (await ask(kind, rows, sql)).sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
  };

  it('are those of the latest event time, whenever they were written', async () => {
    const rows = [row('A', 2, day(2), { api: day(3) }), row('A', 1, day(1), { api: day(9) }), row('B', 5, day(1))];
    expect(await answer(rows)).toEqual([
      ['A', 2],
      ['B', 5],
    ]);
  });

  it('do not bring a deleted record back: deletions are left out after ranking', async () => {
    const rows = [row('A', 1, day(1)), row('A', null, day(2), { deleted: true }), row('B', 5, day(1))];
    expect(await answer(rows)).toEqual([['B', 5]]);
    expect(await answer(rows, day(1))).toEqual([
      ['A', 1],
      ['B', 5],
    ]);
    expect(await answer([...rows, row('A', 7, day(3))])).toEqual([
      ['A', 7],
      ['B', 5],
    ]);
  });

  it('are one of each, though a retry wrote it twice', async () => {
    const twice = [row('A', 1, day(1), { api: day(2) }), row('A', 1, day(1), { api: day(2) })];
    expect(await answer(twice)).toEqual([['A', 1]]);
  });

  it('of one event time are those that were sent last, then written last, then the deletion', async () => {
    const sent = [
      row('A', 1, day(1), { api: day(3), written: day(4) }),
      row('A', 2, day(1), { api: day(2), written: day(9) }),
    ];
    expect(await answer(sent)).toEqual([['A', 1]]);
    const written = [
      row('A', 1, day(1), { api: day(2), written: day(3) }),
      row('A', 2, day(1), { api: day(2), written: day(4) }),
    ];
    expect(await answer(written)).toEqual([['A', 2]]);
    expect(await answer([row('A', 1, day(1)), row('A', null, day(1), { deleted: true })])).toEqual([]);
  });

  it('compare times with and without fractions of a second as times, not as texts', async () => {
    const rows = [row('A', 1, day(1, '00:00:00Z')), row('A', 2, day(1, '00:00:00.500Z'), { api: day(1) })];
    expect(await answer(rows)).toEqual([['A', 2]]);
    expect(await answer(rows, day(1, '00:00:00.250Z'))).toEqual([['A', 1]]);
  });

  it('show which identifiers have a record since a time, deletions too', async () => {
    const rows = [
      row('A', 1, day(1)),
      row('B', 1, day(2)),
      row('B', 1, day(2)),
      row('C', null, day(3), { deleted: true }),
    ];
    const found = await ask(kind, rows, visibleSql(latest, day(2)));
    expect(found.flat().sort()).toEqual(['B', 'C']);
  });
});

describe('tableSource', () => {
  it('quotes what it names', () => {
    expect(tableSource({ catalog: 'AwsDataCatalog', database: 'd', table: 'a"b' })).toBe('"AwsDataCatalog"."d"."a""b"');
  });
});
