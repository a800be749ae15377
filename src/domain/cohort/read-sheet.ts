import { decodeText, scanCsvInPieces } from '../csv/index.js';
import { withoutPauses, type Pausing } from '../pauses.js';
import type { UnitSink } from './case-builder.js';
import { RowGatherer, WarningList } from './gather-rows.js';
import { readHeader, type SheetHeader } from './header.js';
import type { CohortManifest } from './manifest.js';
import { RowMerger } from './merge-rows.js';
import type { PlaceOf } from './path-register.js';
import { FaultList, inSheetOrder, type SheetFault, type SheetWarning } from './sheet-fault.js';

export interface SheetOptions {
  /** Absolute folder, or `s3://bucket/folder`, that the sheet lies in: relative paths start there. */
  readonly base: string;
}

export interface SheetReading {
  /** The cohort; complete only when there are no faults. */
  readonly manifest: CohortManifest;
  /** All faults, in the order of the sheet (the first 10,000 of them). */
  readonly faults: readonly SheetFault[];
  readonly faultCount: number;
  readonly warnings: readonly SheetWarning[];
  /** The row and column that name a file first: gives {@link checkPaths} its row numbers. */
  readonly placeOf: PlaceOf;
}

const NOTHING: CohortManifest = { cases: [], imaging: [], genomics: [] };

const isBlank = (cells: readonly string[]): boolean => cells.every((cell) => cell.trim() === '');

/**
 * Reads and checks a cohort sheet: every fault of every row, not only the first. Pure: whether the files exist is for
 * {@link checkPaths}. Takes commas, semicolons or tabs, a byte order mark, CRLF, and a pyradiomics batch table (`ID`,
 * `Image`, `Mask`, `Label`) as it is.
 *
 * @param content the sheet's bytes (then the encoding is checked too) or its text
 */
export function readCohortSheet(content: string | Uint8Array, options: SheetOptions): SheetReading {
  return withoutPauses(readingCohortSheet(content, options));
}

/** {@link readCohortSheet} with pauses: a sheet of a million rows takes many seconds. */
export function* readingCohortSheet(content: string | Uint8Array, options: SheetOptions): Pausing<SheetReading> {
  const faults = new FaultList();
  const { text, problem: textProblem } = decodeText(content);
  if (textProblem !== undefined) {
    const { kind, row, message } = textProblem;
    const place = row === undefined ? {} : { row };
    faults.add({ kind: kind === 'NotUtf8' ? 'NotUtf8' : 'NotText', ...place, message });
    if (kind !== 'NotUtf8') {
      return {
        manifest: NOTHING,
        faults: faults.kept,
        faultCount: faults.total,
        warnings: [],
        placeOf: () => undefined,
      };
    }
  }
  const warnings = new WarningList();
  const rows = new SheetRows(faults, warnings);
  const { problems, complete } = yield* scanCsvInPieces(text, (cells, row) => rows.take(cells, row));
  for (const { row, message } of problems) faults.add({ kind: 'NotCsv', row, message });
  if (!complete) faults.add({ kind: 'NotCsv', message: 'too many rows cannot be read; the rest was not checked' });
  rows.end(problems.length);
  return yield* finish(rows, options.base, faults, warnings);
}

/** The rows of one sheet as they come: header, data, blank ones. */
class SheetRows {
  header: SheetHeader | undefined;
  gatherer: RowGatherer | undefined;
  #blank: number[] = [];
  #dataRows = 0;
  readonly #faults: FaultList;
  readonly #warnings: WarningList;

  constructor(faults: FaultList, warnings: WarningList) {
    this.#faults = faults;
    this.#warnings = warnings;
  }

  take(cells: string[], row: number): void {
    if (isBlank(cells)) {
      this.#blank.push(row);
      return;
    }
    // Blank rows at the end are what spreadsheets leave behind; between rows they mean that something was deleted.
    for (const blank of this.#blank) {
      this.#faults.add({ kind: 'EmptyRow', row: blank, message: 'the row is empty; delete it' });
    }
    this.#blank = [];
    if (this.header === undefined) {
      this.header = readHeader(cells, this.#faults);
      if (this.header.known.has('case_id')) this.gatherer = new RowGatherer(this.header, this.#faults, this.#warnings);
      return;
    }
    this.#dataRows += 1;
    const idAt = this.header.known.get('case_id');
    if (idAt === undefined) return;
    if ((cells[idAt] ?? '').trim() === '' && cells.length >= this.header.width) {
      const message = 'the case has no id; give every row one';
      this.#faults.add({ kind: 'MissingCaseId', row, column: this.header.idName, message });
    }
    this.gatherer?.add(cells, row);
  }

  /** @param unread rows that were not CSV and were told as such */
  end(unread: number): void {
    if (unread > 0 && this.#dataRows === 0) return;
    if (this.header === undefined) {
      this.#faults.add({ kind: 'EmptySheet', message: 'the sheet is empty' });
    } else if (this.#dataRows === 0) {
      this.#faults.add({ kind: 'NoRows', message: 'the sheet has a header and no rows' });
    }
  }
}

/** Cases merged between two pauses. */
const CASES_AT_ONCE = 10_000;

function* finish(
  { header, gatherer }: SheetRows,
  base: string,
  faults: FaultList,
  warnings: WarningList,
): Pausing<SheetReading> {
  const carried = header?.carried.map(({ name }) => name) ?? [];
  const merger = new RowMerger(base, carried, faults, warnings);
  const manifest: UnitSink = { cases: [], imaging: [], genomics: [] };
  let merged = 0;
  for (const rows of gatherer?.cases ?? []) {
    merger.merge(rows, manifest);
    merged += 1;
    if (merged % CASES_AT_ONCE === 0) yield;
  }
  // Rows without a usable id are looked at for their faults only.
  const nowhere: UnitSink = { cases: [], imaging: [], genomics: [] };
  for (const rows of gatherer?.nameless ?? []) merger.merge(rows, nowhere);
  return {
    manifest,
    faults: inSheetOrder(faults.kept),
    faultCount: faults.total,
    warnings: inSheetOrder(warnings.kept),
    placeOf: merger.paths.placeOf,
  };
}
