import { describe, expect, it } from 'vitest';
import { csvText, decodeText, scanCsv, sniffDelimiter } from '../../../../src/domain/csv/index.js';

function rows(text: string): [number, string[]][] {
  const result: [number, string[]][] = [];
  scanCsv(text, (cells, row) => result.push([row, cells]));
  return result;
}

describe('scanCsv', () => {
  it.each([
    ['LF', 'a,b\n1,2\n'],
    ['CRLF', 'a,b\r\n1,2\r\n'],
    ['CR', 'a,b\r1,2\r'],
    ['no last line end', 'a,b\n1,2'],
    ['quotation marks', '"a","b"\n"1","2"\n'],
    ['quotation marks and CRLF', '"a","b"\r\n1,"2"\r\n'],
  ])('reads %s', (_, text) => {
    expect(rows(text)).toEqual([
      [1, ['a', 'b']],
      [2, ['1', '2']],
    ]);
  });

  it('counts rows as a spreadsheet shows them: a value over two lines is one row, a blank line is one', () => {
    expect(rows('a,b\n"1\n1",2\n\n3,4\n')).toEqual([
      [1, ['a', 'b']],
      [2, ['1\n1', '2']],
      [3, ['']],
      [4, ['3', '4']],
    ]);
    expect(rows('a,b\n\n3,4\n').map(([row]) => row)).toEqual([1, 2, 3]);
  });

  it('reads the same with and without quotation marks', () => {
    const plain = 'x;y\r\n1;\r\n;2\r\n\r\na b;ü\n';
    const quoted = plain.replace('x', '"x"');
    expect(rows(quoted)).toEqual(rows(plain));
  });

  it('leaves a broken row out, names it and reads on', () => {
    const seen: number[] = [];
    const { problems, complete } = scanCsv('a,b\n1,"2\n3,4\n5,x"y"\n"6",7\n', (_, row) => seen.push(row));
    expect(problems.map(({ kind, row }) => [kind, row])).toEqual([
      ['UnbalancedQuotes', 2],
      ['UnbalancedQuotes', 4],
    ]);
    expect(seen).toEqual([1, 3, 5]);
    expect(complete).toBe(true);
  });

  it('gives up on what is no CSV', () => {
    const text = `a,b\n${Array.from({ length: 200 }, (_, n) => `${n},x"y"`).join('\n')}\n`;
    const { problems, complete } = scanCsv(text, () => undefined);
    expect(complete).toBe(false);
    expect(problems).toHaveLength(50);
  });
});

describe('sniffDelimiter', () => {
  it.each([
    ['a,b;c,d', ','],
    ['a;b;c,d', ';'],
    ['a\tb\tc', '\t'],
    ['a|b', '|'],
    ['"a;b;c",d', ','],
    ['alone', ','],
  ])('finds the separator of %s', (text, expected) => {
    expect(sniffDelimiter(text)).toBe(expected);
  });
});

describe('csvText', () => {
  it('quotes what needs it and reads back', () => {
    const table = [
      ['a,b', 'say "x"', 'two\nlines', ' blanks '],
      ['', '', '', ''],
    ];
    const text = csvText(['w', 'x', 'y', 'z'], table);
    expect(text).toBe('w,x,y,z\n"a,b","say ""x""","two\nlines", blanks \n,,,\n');
    expect(
      rows(text)
        .slice(1)
        .map(([, cells]) => cells),
    ).toEqual(table);
  });

  it('keeps a lone empty cell apart from a blank line', () => {
    expect(csvText(['a'], [['']])).toBe('a\n""\n');
  });
});

describe('decodeText', () => {
  it('takes UTF-8 and UTF-16 with their marks', () => {
    expect(decodeText(new Uint8Array([0xef, 0xbb, 0xbf, 0x61])).text).toBe('a');
    expect(decodeText(new Uint8Array([0xff, 0xfe, 0x61, 0]))).toEqual({ text: 'a' });
    expect(decodeText(new Uint8Array([0xfe, 0xff, 0, 0x61]))).toEqual({ text: 'a' });
  });

  it('tells Latin-1, NUL bytes, workbooks, compressed and Parquet files', () => {
    expect(decodeText(new Uint8Array([0x61, 0x0a, 0xe4])).problem).toMatchObject({ kind: 'NotUtf8', row: 2 });
    expect(decodeText('a\n\0').problem).toMatchObject({ kind: 'Binary', row: 2 });
    expect(decodeText(new Uint8Array([0x50, 0x4b, 3, 4])).problem?.kind).toBe('Workbook');
    expect(decodeText(new Uint8Array([0x1f, 0x8b, 8, 0])).problem?.message).toContain('gunzip');
    expect(decodeText(new TextEncoder().encode('PAR1\0\0')).problem?.message).toContain('Parquet');
  });
});
