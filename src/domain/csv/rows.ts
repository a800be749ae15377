import { scanCsv } from './read.js';

const quotesIn = (text: string): number => {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count += 1;
  return count;
};

/**
 * Rows of one of our own tables (commas, quoted as RFC 4180 says) from its lines, one at a time: a table of millions of rows
 * or thousands of columns does not fit whole. The first row is the header. Cells may hold line ends; empty lines are skipped.
 *
 * @param most only so many cells of each row, which makes reading the first columns of a wide table cheap
 */
export async function* csvRows(lines: AsyncIterable<string>, most?: number): AsyncGenerator<string[], undefined> {
  let open = '';
  for await (const line of lines) {
    const text = open === '' ? line : `${open}\n${line}`;
    if (text === '') continue;
    if (!text.includes('"')) {
      yield text.split(',', most);
      continue;
    }
    // An odd number of quotation marks: the row goes on in the next line.
    if (quotesIn(text) % 2 === 1) {
      open = text;
      continue;
    }
    open = '';
    let cells: string[] = [];
    scanCsv(text, (found) => (cells = found), ',');
    yield most === undefined ? cells : cells.slice(0, most);
  }
  return undefined;
}

/** The same as objects by column name; the first row names the columns. */
export async function* csvRecords(
  lines: AsyncIterable<string>,
  most?: number,
): AsyncGenerator<Readonly<Record<string, string>>, undefined> {
  let header: readonly string[] | undefined;
  for await (const cells of csvRows(lines, most)) {
    if (header === undefined) header = cells;
    else yield Object.fromEntries(header.map((name, at) => [name, cells[at] ?? '']));
  }
  return undefined;
}
