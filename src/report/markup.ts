/** Text made safe for HTML, inside elements and attributes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Cells longer than this may be broken after underscores: names of files and features have no spaces. */
const LONG = 24;

const cellText = (text: string): string =>
  text.length > LONG ? escaped(text).replaceAll('_', '_<wbr>') : escaped(text);

/** Stands in a cell whose value nobody knows. */
export const MISSING = '–';

/** A table with a header row; cells are texts, escaped here. Columns of numbers are set to the right. */
export function tableMarkup(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const numeric = header.map(
    (_, at) => rows.length > 0 && rows.every((row) => /^(-?\$?[\d.,e+-]*%?|–)$/.test(row[at] ?? '')),
  );
  const kind = (at: number): string => (numeric[at] === true ? ' class="number"' : '');
  const head = header.map((name, at) => `<th scope="col"${kind(at)}>${escaped(name)}</th>`).join('');
  const body = rows.map((row) => {
    const cells = row.map((cell, at) => `<td${kind(at)}>${cellText(cell)}</td>`);
    return `<tr>${cells.join('')}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

/** A small histogram as inline SVG, with its range below. */
export function histogramMarkup(name: string, values: readonly number[]): string {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const bins = Math.min(16, Math.max(4, Math.ceil(Math.sqrt(values.length) * 2)));
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) counts[Math.min(bins - 1, Math.floor(((value - low) / (high - low || 1)) * bins))]! += 1;
  const most = Math.max(...counts);
  const [width, height] = [226, 70];
  const bars = counts.map((count, at) => {
    const tall = (count / most) * height;
    const across = width / bins;
    return `<rect x="${(at * across + 1).toFixed(1)}" y="${(height - tall).toFixed(1)}" width="${(across - 2).toFixed(1)}" height="${tall.toFixed(1)}" rx="1"/>`;
  });
  const label = (value: number): string => escaped(value.toPrecision(4));
  return `<figure><svg viewBox="0 0 ${width} ${height + 16}" role="img" aria-label="${escaped(name)}, ${values.length} values from ${label(low)} to ${label(high)}">${bars.join('')}<text x="0" y="${height + 13}">${label(low)}</text><text x="${width}" y="${height + 13}" text-anchor="end">${label(high)}</text></svg><figcaption>${escaped(name)}, n = ${values.length}</figcaption></figure>`;
}
