import { decodeText, scanCsv } from '../csv/index.js';
import { CohortflowError } from '../errors.js';

/** A table as read: texts only, blank rows and columns without a name left out. */
export interface ClinicalTable {
  readonly columns: readonly string[];
  /** Cells as written, in the order of `columns`. */
  readonly rows: readonly (readonly string[])[];
  /** Row of each entry of `rows` in the spreadsheet (the header is row 1): what messages name. */
  readonly rowNumbers: readonly number[];
}

/** `2, 5, 9 and 12 more`. */
export function someOf(items: readonly (string | number)[], shown = 10): string {
  const first = items.slice(0, shown).join(', ');
  return items.length > shown ? `${first} and ${items.length - shown} more` : first;
}

const invalid = (message: string, details: Record<string, unknown> = {}): CohortflowError =>
  new CohortflowError('InvalidClinicalTable', `clinical table: ${message}`, details);

/**
 * Reads a clinical table from the bytes or the text of a CSV file (commas, semicolons or tabs; UTF-8 or UTF-16 with a byte
 * order mark).
 *
 * @throws CohortflowError `InvalidClinicalTable` naming the rows, when it is no text, has no rows, rows of differing length
 * or a column name twice
 */
export function readClinicalTable(content: string | Uint8Array): ClinicalTable {
  const { text, problem: textProblem } = decodeText(content);
  if (textProblem !== undefined) {
    throw invalid(`${textProblem.row === undefined ? '' : `row ${textProblem.row}: `}${textProblem.message}`);
  }
  let header: readonly string[] | undefined;
  const rows: string[][] = [];
  const rowNumbers: number[] = [];
  const ragged: number[] = [];
  const { problems } = scanCsv(text, (cells, row) => {
    if (cells.every((cell) => cell.trim() === '')) return;
    if (header === undefined) {
      header = cells;
      return;
    }
    const surplus = cells.slice(header.length);
    if (cells.length < header.length || surplus.some((cell) => cell.trim() !== '')) ragged.push(row);
    rows.push(cells);
    rowNumbers.push(row);
  });
  const [problem] = problems;
  if (problem !== undefined) throw invalid(`row ${problem.row}: ${problem.message}`, { row: problem.row });
  if (header === undefined) throw invalid('the file is empty');
  if (rows.length === 0) throw invalid('there is a header and no rows');
  if (ragged.length > 0) {
    const message = `${ragged.length === 1 ? 'row' : 'rows'} ${someOf(ragged)}: not as many cells as the header's ${header.length}; look for missing or unquoted separators`;
    throw invalid(message, { rows: ragged.slice(0, 100) });
  }
  // Programs that export their row index leave its column without a name.
  const named = header.flatMap((name, index) => (name.trim() === '' ? [] : [index]));
  const columns = named.map((index) => header?.[index] as string);
  const seen = new Set<string>();
  const twice = columns.filter((name) => {
    const known = seen.has(plainName(name));
    seen.add(plainName(name));
    return known;
  });
  if (twice.length > 0) {
    throw invalid(`the header names ${twice.map((name) => `\`${name.trim()}\``).join(', ')} twice`, { columns: twice });
  }
  const all = named.length === header.length;
  return { columns, rows: rows.map((row) => (all ? row : named.map((index) => row[index] as string))), rowNumbers };
}

/** What is left of a column's name when blanks around it, their number and case are disregarded: tables have thousands. */
export function plainName(name: string): string {
  return name.trim().replaceAll(/\s+/g, ' ').toLowerCase();
}

/** Column names are the same when they differ in blanks around them and in case only (`Histology ` has one behind). */
export function sameName(a: string, b: string): boolean {
  return a === b || plainName(a) === plainName(b);
}

/** Index of a column by its name, −1 when the table has none. */
export function columnIndex(columns: readonly string[], name: string): number {
  const exact = columns.indexOf(name);
  return exact >= 0 ? exact : columns.findIndex((column) => sameName(column, name));
}
