import {
  checkAnyCell,
  checkId,
  checkPath,
  isRunAccession,
  looksMangled,
  readLabel,
  readStrandedness,
  type CellFault,
} from './cell-checks.js';
import { columnRule, type SheetColumn } from './columns.js';
import type { SheetHeader } from './header.js';
import type { FaultList, SheetFaultKind, SheetWarning } from './sheet-fault.js';

/** At most this many warnings of one kind are kept; a table with blanks around every value says so a few times only. */
const WARNINGS_PER_KIND = 20;

/**
 * One row after its cells were checked one by one. `bad` names the columns whose value failed: it still counts as given (or
 * every such fault would bring a second one with it), but takes part in no comparison.
 */
export interface SheetRow {
  readonly row: number;
  readonly values: Partial<Record<SheetColumn, string>>;
  /** Values of the carried columns by their place in the sheet; absent where the sheet has none. */
  readonly carried: readonly string[] | undefined;
  readonly bad: ReadonlySet<SheetColumn> | undefined;
}

/** The rows of one case, in the order of the sheet. */
export interface CaseRows {
  readonly caseId: string;
  /** The first row; most cases have one. */
  readonly first: SheetRow;
  more?: SheetRow[];
}

/** Collects warnings, a few of each kind. */
export class WarningList {
  readonly kept: SheetWarning[] = [];
  readonly #counts = new Map<string, number>();

  add(kind: string, row: number, column: string, message: string): void {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count <= WARNINGS_PER_KIND) this.kept.push({ kind, row, column, message });
  }
}

/**
 * Takes the rows of a sheet one by one, checks their cells and puts them by case. Only texts are kept here: what is made of
 * a case lives no longer than it takes to make it, which is what lets a sheet have a million rows.
 */
export class RowGatherer {
  readonly cases: CaseRows[] = [];
  /** Rows without a usable id: only their faults matter. */
  readonly nameless: CaseRows[] = [];
  readonly #byId = new Map<string, CaseRows>();
  readonly #header: SheetHeader;
  readonly #known: readonly { readonly column: SheetColumn; readonly index: number }[];
  readonly #faults: FaultList;
  readonly #warnings: WarningList;

  constructor(header: SheetHeader, faults: FaultList, warnings: WarningList) {
    this.#header = header;
    this.#known = [...header.known].map(([column, index]) => ({ column, index }));
    this.#faults = faults;
    this.#warnings = warnings;
  }

  #fault(kind: SheetFaultKind, row: number, column: string | undefined, message: string): void {
    this.#faults.add({ kind, row, ...(column === undefined ? {} : { column }), message });
  }

  /** One data row: cells as written, the row's number in the spreadsheet. The row is known not to be empty. */
  add(cells: readonly string[], row: number): void {
    const header = this.#header;
    // Spreadsheets pad rows with empty cells beyond the header; anything else there is a shifted row.
    const surplus = cells.length > header.width && cells.slice(header.width).some((cell) => cell.trim() !== '');
    if (surplus || cells.length < header.width) {
      const message = `the row has ${cells.length} cells and the header ${header.width}; look for a missing or unquoted separator`;
      this.#fault('RaggedRow', row, undefined, message);
      return;
    }
    for (const index of header.unnamed) {
      if ((cells[index] as string).trim() === '') continue;
      const message = `cell ${index + 1} has a value and its column no name; name the column`;
      this.#fault('UnnamedColumn', row, undefined, message);
    }
    const checked = this.#knownValues(cells, row);
    this.#place({ ...checked, row, carried: this.#carried(cells, row) });
  }

  #cell(cells: readonly string[], index: number, row: number, column: string): string {
    const written = cells[index] as string;
    const value = written.trim();
    if (value.length !== written.length) {
      this.#warnings.add('SpacesRemoved', row, column, 'spaces around the value were removed');
    }
    return value;
  }

  #knownValues(cells: readonly string[], row: number): Pick<SheetRow, 'values' | 'bad'> {
    const values: Partial<Record<SheetColumn, string>> = {};
    let bad: Set<SheetColumn> | undefined;
    for (const { column, index } of this.#known) {
      const value = this.#cell(cells, index, row, column);
      if (value === '') continue;
      values[column] = value;
      const problem = checkAnyCell(value) ?? checkKnown(column, value);
      if (problem === undefined) continue;
      (bad ??= new Set()).add(column);
      this.#fault(problem.kind, row, column, problem.message);
    }
    return { values, bad };
  }

  #carried(cells: readonly string[], row: number): readonly string[] | undefined {
    if (this.#header.carried.length === 0) return undefined;
    return this.#header.carried.map(({ name, index }) => {
      const value = this.#cell(cells, index, row, name);
      const problem = checkAnyCell(value.replaceAll(/[\t\r\n]/g, ' '));
      if (problem === undefined) return value;
      this.#fault(problem.kind, row, name, problem.message);
      return '';
    });
  }

  /** Puts a row to its case; a row without a usable id is checked like a case of its own. */
  #place(row: SheetRow): void {
    const caseId = row.values.case_id;
    const nameless = (): void => void this.nameless.push({ caseId: `of row ${row.row}`, first: row });
    if (caseId === undefined || row.bad?.has('case_id') === true) {
      nameless();
      return;
    }
    const key = caseId.toLowerCase();
    const known = this.#byId.get(key);
    if (known === undefined) {
      const started: CaseRows = { caseId, first: row };
      this.#byId.set(key, started);
      this.cases.push(started);
      if (looksMangled(caseId)) {
        const message = `the id ${caseId} looks as if a spreadsheet had changed it (a date, a power of ten); check it`;
        this.#warnings.add('IdLooksMangled', row.row, 'case_id', message);
      }
    } else if (known.caseId === caseId) (known.more ??= []).push(row);
    else {
      const message = `${caseId} and ${known.caseId} (row ${known.first.row}) differ in upper and lower case only; write one of them everywhere`;
      this.#fault('IdsDifferInCaseOnly', row.row, 'case_id', message);
      // Whether it is the same case or another one, comparing its values would only bring faults that are none.
      nameless();
    }
  }
}

/** The check of a known column's value by itself. */
function checkKnown(column: SheetColumn, value: string): CellFault | undefined {
  switch (columnRule(column).kind) {
    case 'id':
      return checkId(value);
    case 'path':
      return checkPath(column, value);
    case 'run':
      return isRunAccession(value) ? undefined : checkPath(column, value);
    case 'count': {
      const label = readLabel(value);
      return typeof label === 'number' ? undefined : label;
    }
    case 'choice': {
      const word = readStrandedness(value);
      return typeof word === 'string' ? undefined : word;
    }
    case 'text':
      return undefined;
  }
}
