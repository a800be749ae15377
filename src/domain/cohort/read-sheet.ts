import { decodeText, scanCsv } from '../csv/index.js';
import { finishCase, type UnitSink } from './case-builder.js';
import { RowGatherer } from './gather-rows.js';
import { readHeader, type SheetHeader } from './header.js';
import type { CohortManifest } from './manifest.js';
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

const isBlank = (cells: readonly string[]): boolean => cells.every((cell) => cell.trim() === '');

/**
 * Reads and checks a cohort sheet: every fault of every row, not only the first. Pure: whether the files exist is for
 * {@link checkPaths}. Takes commas, semicolons or tabs, a byte order mark, CRLF, and a pyradiomics batch table (`ID`,
 * `Image`, `Mask`, `Label`) as it is.
 *
 * @param content the sheet's bytes (then the encoding is checked too) or its text
 */
export function readCohortSheet(content: string | Uint8Array, options: SheetOptions): SheetReading {
  const faults = new FaultList();
  const { text, problem: textProblem } = decodeText(content);
  if (textProblem !== undefined) {
    const { kind, row, message } = textProblem;
    const place = row === undefined ? {} : { row };
    faults.add({ kind: kind === 'NotUtf8' ? 'NotUtf8' : 'NotText', ...place, message });
    if (kind !== 'NotUtf8') return finish(undefined, faults);
  }
  const rows = new SheetRows(options.base, faults);
  const { problems, complete } = scanCsv(text, (cells, row) => rows.take(cells, row));
  for (const { row, message } of problems) faults.add({ kind: 'NotCsv', row, message });
  if (!complete) faults.add({ kind: 'NotCsv', message: 'too many rows cannot be read; the rest was not checked' });
  return finish(rows.end(problems.length), faults);
}

/** The rows of one sheet as they come: header, data, blank ones. */
class SheetRows {
  #header: SheetHeader | undefined;
  #gatherer: RowGatherer | undefined;
  #blank: number[] = [];
  #dataRows = 0;
  readonly #base: string;
  readonly #faults: FaultList;

  constructor(base: string, faults: FaultList) {
    this.#base = base;
    this.#faults = faults;
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
    if (this.#header === undefined) {
      this.#header = readHeader(cells, this.#faults);
      if (this.#header.known.has('case_id')) this.#gatherer = new RowGatherer(this.#header, this.#base, this.#faults);
      return;
    }
    this.#dataRows += 1;
    const idAt = this.#header.known.get('case_id');
    if (idAt === undefined) return;
    if ((cells[idAt] ?? '').trim() === '' && cells.length >= this.#header.width) {
      const message = 'the case has no id; give every row one';
      this.#faults.add({ kind: 'MissingCaseId', row, column: this.#header.idName, message });
    }
    this.#gatherer?.add(cells, row);
  }

  /** @param unread rows that were not CSV and were told as such */
  end(unread: number): RowGatherer | undefined {
    if (unread > 0 && this.#dataRows === 0) return this.#gatherer;
    if (this.#header === undefined) {
      this.#faults.add({ kind: 'EmptySheet', message: 'the sheet is empty' });
    } else if (this.#dataRows === 0) {
      this.#faults.add({ kind: 'NoRows', message: 'the sheet has a header and no rows' });
    }
    return this.#gatherer;
  }
}

function finish(gatherer: RowGatherer | undefined, faults: FaultList): SheetReading {
  const manifest: UnitSink = { cases: [], imaging: [], genomics: [] };
  const names = gatherer?.carriedNames ?? [];
  for (const builder of gatherer?.cases ?? []) finishCase(builder, names, faults, manifest);
  // Rows without a usable id are looked at for their faults only.
  const nowhere: UnitSink = { cases: [], imaging: [], genomics: [] };
  for (const builder of gatherer?.nameless ?? []) finishCase(builder, names, faults, nowhere);
  return {
    manifest,
    faults: inSheetOrder(faults.kept),
    faultCount: faults.total,
    warnings: inSheetOrder(gatherer?.warnings ?? []),
    placeOf: (path) => gatherer?.paths.placeOf(path),
  };
}
