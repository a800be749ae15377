import { describe, expect, it } from 'vitest';
import { csvText, scanCsv, scanCsvInPieces, type CsvScan } from '../../../../src/domain/csv/index.js';

/** Rows of a table of a few MB: most plain, some with quotes, commas and line ends inside. */
function table(rows: number): string[][] {
  const filler = 'x'.repeat(200);
  return Array.from({ length: rows }, (_, at) => {
    if (at % 7 === 3) return [`C${at}`, `over\n"two"\n\nlines, ${filler}`, ''];
    return [`C${at}`, at % 5 === 2 ? 'a, "b"' : filler, String(at)];
  });
}

function scan(text: string): { readonly rows: string[][]; readonly numbers: number[]; readonly result: CsvScan } {
  const rows: string[][] = [];
  const numbers: number[] = [];
  const result = scanCsv(text, (cells, row) => {
    rows.push(cells);
    numbers.push(row);
  });
  return { rows, numbers, result };
}

describe('reading a large table in pieces', () => {
  it('gives every row once, in order, with its number, wherever the pieces are cut', () => {
    const wanted = table(20_000);
    const text = csvText(['id', 'text', 'n'], wanted);
    expect(text.length).toBeGreaterThan(3_000_000);
    const { rows, numbers, result } = scan(text);
    expect(result).toEqual({ delimiter: ',', problems: [], complete: true });
    expect(rows.slice(1)).toEqual(wanted);
    expect(numbers).toEqual(Array.from({ length: wanted.length + 1 }, (_, at) => at + 1));
  });

  it('pauses between pieces, so that others can run', () => {
    const text = csvText(['id', 'text', 'n'], table(20_000));
    let pauses = 0;
    let before = 0;
    let rows = 0;
    let most = 0;
    const work = scanCsvInPieces(text, () => (rows += 1));
    while (work.next().done !== true) {
      pauses += 1;
      most = Math.max(most, rows - before);
      before = rows;
    }
    expect(pauses).toBeGreaterThan(2);
    expect(most).toBeLessThan(10_000);
  });

  it.each([
    ['a quotation mark inside a value', 'B,5" long,1'],
    ['one that is never closed', 'B,"open,1'],
  ])('tells the row with %s by its number, and reads on after it as in a small table', (_, broken) => {
    const head = table(9_000);
    const tail = table(9_000);
    const lines = csvText(['id', 'text', 'n'], head) + `${broken}\n` + csvText(['Z', 'last', '0'], tail);
    const { rows, result } = scan(lines);
    expect(result.problems[0]).toMatchObject({ kind: 'UnbalancedQuotes', row: head.length + 2 });
    expect(rows.slice(1, head.length + 1)).toEqual(head);
    const small = scan(`${csvText(['id', 'text', 'n'], [])}${broken}\n${csvText(['Z', 'last', '0'], tail)}`);
    expect(result.problems.map(({ row }) => row - head.length)).toEqual(small.result.problems.map(({ row }) => row));
    expect(rows.slice(head.length + 1)).toEqual(small.rows.slice(1));
  });
});
