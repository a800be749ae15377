import { describe, expect, it } from 'vitest';
import { csvRecords, csvRows, csvText } from '../../../../src/domain/csv/index.js';

async function* linesOf(text: string): AsyncIterable<string> {
  yield* text.split('\n');
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('rows of a table, one at a time', () => {
  const rows = [
    ['case_id', 'message', 'n'],
    ['A', 'plain', '1'],
    ['B', 'a "quoted", word', ''],
    ['C', 'over\ntwo\n\nlines, "so"', '3'],
    ['', '', ''],
  ];

  it('gives what was written: quotes, commas and line ends in cells, empty cells', async () => {
    expect(await all(csvRows(linesOf(csvText(rows[0] ?? [], rows.slice(1)))))).toEqual(rows);
  });

  it('gives the first columns only when told so', async () => {
    expect(await all(csvRows(linesOf(csvText(rows[0] ?? [], rows.slice(1))), 2))).toEqual(
      rows.map((row) => row.slice(0, 2)),
    );
  });

  it('gives objects by column name', async () => {
    expect(await all(csvRecords(linesOf('a,b\n1,2\n\n3\n')))).toEqual([
      { a: '1', b: '2' },
      { a: '3', b: '' },
    ]);
    expect(await all(csvRecords(linesOf('')))).toEqual([]);
  });
});
