export const DELIMITERS = [',', ';', '\t', '|'] as const;
export type Delimiter = (typeof DELIMITERS)[number];

/** Cells of one line when cut at a delimiter, quotes respected; good enough to choose one, not to parse. */
function pieces(line: string, delimiter: string): number {
  let quoted = false;
  let count = 1;
  for (const character of line) {
    if (character === '"') quoted = !quoted;
    else if (character === delimiter && !quoted) count += 1;
  }
  return count;
}

/**
 * The separator of a table, from its header line: the one that cuts it into most cells (spreadsheets of many countries
 * write semicolons, exports write tabs). A header of one cell gives the comma.
 */
export function sniffDelimiter(text: string): Delimiter {
  const end = text.search(/[\r\n]/);
  const header = end < 0 ? text : text.slice(0, end);
  let best: Delimiter = ',';
  for (const delimiter of DELIMITERS) if (pieces(header, delimiter) > pieces(header, best)) best = delimiter;
  return best;
}
