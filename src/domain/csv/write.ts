/** One line of CSV without its end: commas, cells in quotation marks only where needed (RFC 4180). */
export function csvLine(cells: readonly string[]): string {
  // A lone empty cell would read back as a blank line.
  if (cells.length === 1 && cells[0] === '') return '""';
  return cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',');
}

/** A whole table as CSV text: header and rows, every line ended by LF. */
export function csvText(header: readonly string[], rows: Iterable<readonly string[]>): string {
  const lines = [csvLine(header)];
  for (const row of rows) lines.push(csvLine(row));
  return `${lines.join('\n')}\n`;
}
