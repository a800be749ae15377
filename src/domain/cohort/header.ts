import { SHEET_COLUMNS, SHEET_COLUMN_RULES, type SheetColumn } from './columns.js';
import type { FaultList } from './sheet-fault.js';

/** Where the sheet's columns are. */
export interface SheetHeader {
  readonly width: number;
  /** Cell index of each known column that the sheet has. */
  readonly known: ReadonlyMap<SheetColumn, number>;
  /** The other columns, carried as they are. */
  readonly carried: readonly { readonly name: string; readonly index: number }[];
  /** Columns without a name: they must stay empty. */
  readonly unnamed: readonly number[];
  /** Name of the id column as the sheet writes it (`case_id`, `ID`). */
  readonly idName: string;
}

/** `Case ID` and `case-id` are `case_id`: spreadsheets and exports differ in nothing else. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[\s-]+/g, '_');
}

/** True when two words differ by one letter added, left out, changed, or by two neighbours swapped. */
function nearlyEqual(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const left = a.slice(start, a.length - end);
  const right = b.slice(start, b.length - end);
  if (left.length <= 1 && right.length <= 1) return true;
  return left.length === 2 && right.length === 2 && left[0] === right[1] && left[1] === right[0];
}

/** The known column that a header was probably meant to be. */
function meantColumn(name: string): SheetColumn | undefined {
  const word = plain(name);
  const rule =
    SHEET_COLUMN_RULES.find((candidate) => candidate.mistakenFor.includes(word)) ??
    SHEET_COLUMN_RULES.find((candidate) => word.length >= 5 && nearlyEqual(word, candidate.name));
  return rule?.name;
}

/** `case_id`, or in a pyradiomics batch table (`ID`, `Image`, `Mask`) the column `ID`. */
function knownName(names: readonly string[], index: number): SheetColumn | undefined {
  const words = names.map(plain);
  const word = words[index];
  const batch = !words.includes('case_id') && words.includes('image') && words.includes('mask');
  if (batch && word === 'id') return 'case_id';
  return SHEET_COLUMNS.find((column) => column === word);
}

/** Reads the header row; what is wrong with it goes to `faults`. */
export function readHeader(cells: readonly string[], faults: FaultList): SheetHeader {
  const names = cells.map((cell) => cell.trim());
  const known = new Map<SheetColumn, number>();
  const carried: { name: string; index: number }[] = [];
  const unnamed: number[] = [];
  const fault = (kind: 'DuplicateColumn' | 'FormulaCell' | 'ControlCharacter', column: string, message: string): void =>
    faults.add({ kind, row: 1, column, message });

  if (!names.some((name, index) => knownName(names, index) !== undefined || meantColumn(name) !== undefined)) {
    // Probably no header at all: then these cells are values, and nothing of them may be shown.
    const message = 'there is no column case_id; the first row must name the columns (case_id, imaging, fastq_1, …)';
    faults.add({ kind: 'MissingIdColumn', row: 1, message });
    return { width: names.length, known, carried, unnamed, idName: 'case_id' };
  }
  names.forEach((name, index) => {
    const column = knownName(names, index);
    if (name === '') unnamed.push(index);
    else if (column !== undefined) {
      if (known.has(column)) fault('DuplicateColumn', column, 'the header names this column twice; keep one');
      else known.set(column, index);
    } else if (carried.some((other) => other.name.toLowerCase() === name.toLowerCase())) {
      fault('DuplicateColumn', name, 'the header names this column twice; rename or remove one');
    } else {
      // eslint-disable-next-line no-control-regex -- control characters are what is looked for
      if (/[\u0000-\u001f\u007f]/.test(name)) {
        fault('ControlCharacter', `number ${index + 1}`, 'the name has a control character; type it again');
      } else if (/^[=@+-]/.test(name)) {
        fault('FormulaCell', `number ${index + 1}`, 'the name begins like a spreadsheet formula; rename the column');
      }
      carried.push({ name, index });
    }
  });

  if (!known.has('case_id')) {
    const candidate = names.find((name) => name !== '' && meantColumn(name) === 'case_id');
    const advice =
      candidate === undefined
        ? 'name the column that identifies the case so'
        : `if \`${candidate}\` identifies the case, rename it to case_id`;
    faults.add({ kind: 'MissingIdColumn', row: 1, message: `there is no column case_id; ${advice}` });
  }
  for (const { name } of carried) {
    const meant = meantColumn(name);
    // A misnamed case id is told above; ids of other systems may well be carried beside it.
    if (meant === undefined || meant === 'case_id' || known.has(meant)) continue;
    const message = `unknown column; it is probably meant to be \`${meant}\`: rename it (or rename it to something else to carry it along)`;
    faults.add({ kind: 'LikelyMisnamedColumn', row: 1, column: name, message });
  }
  return { width: names.length, known, carried, unnamed, idName: names[known.get('case_id') ?? -1] ?? 'case_id' };
}
