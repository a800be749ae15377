import { findPart, type CaseBuilder, type SampleBuilder, type StudyBuilder, type Told } from './case-builder.js';
import {
  checkAnyCell,
  checkId,
  checkPath,
  isRunAccession,
  looksMangled,
  matesLookSwapped,
  readLabel,
  readStrandedness,
  type CellFault,
} from './cell-checks.js';
import { columnRule, type SheetColumn } from './columns.js';
import type { SheetHeader } from './header.js';
import { PathRegister } from './path-register.js';
import type { FaultList, SheetFaultKind, SheetWarning } from './sheet-fault.js';
import { resolvePath } from './sheet-paths.js';

/** At most this many warnings of one kind are kept; a table with blanks around every value says so a few times only. */
const WARNINGS_PER_KIND = 20;

/**
 * Values of one row. `bad` names the columns whose value failed its own check: it still counts as given (or every such
 * fault would bring a second one with it), but takes part in no comparison.
 */
type RowValues = Partial<Record<SheetColumn, string>> & { bad?: Set<SheetColumn> };

/** Takes the rows of a sheet one by one and gathers them by case. */
export class RowGatherer {
  readonly cases: CaseBuilder[] = [];
  /** Rows without a usable id: only their faults matter. */
  readonly nameless: CaseBuilder[] = [];
  readonly warnings: SheetWarning[] = [];
  readonly paths: PathRegister;
  readonly #byId = new Map<string, CaseBuilder>();
  readonly #header: SheetHeader;
  readonly #known: readonly { readonly column: SheetColumn; readonly index: number }[];
  readonly #base: string;
  readonly #faults: FaultList;
  readonly #warned = new Map<string, number>();

  constructor(header: SheetHeader, base: string, faults: FaultList) {
    this.#header = header;
    this.#known = [...header.known].map(([column, index]) => ({ column, index }));
    this.#base = base;
    this.#faults = faults;
    this.paths = new PathRegister(faults);
  }

  /** Names of the carried columns, in the order of the sheet. */
  get carriedNames(): readonly string[] {
    return this.#header.carried.map(({ name }) => name);
  }

  #fault(kind: SheetFaultKind, row: number, column: string | undefined, message: string): void {
    this.#faults.add({ kind, row, ...(column === undefined ? {} : { column }), message });
  }

  #warn(kind: string, row: number, column: string, message: string): void {
    const count = (this.#warned.get(kind) ?? 0) + 1;
    this.#warned.set(kind, count);
    if (count <= WARNINGS_PER_KIND) this.warnings.push({ kind, row, column, message });
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
      if ((cells[index] as string).trim() !== '') {
        this.#fault(
          'UnnamedColumn',
          row,
          undefined,
          `cell ${index + 1} has a value and its column no name; name the column`,
        );
      }
    }
    const values = this.#knownValues(cells, row);
    const owner = this.#caseOf(values, row);
    this.#carry(owner, cells, row);
    const study = this.#study(owner, values, row);
    this.#reads(owner, values, row, study);
  }

  #cell(cells: readonly string[], index: number, row: number, column: string): string {
    const written = cells[index] as string;
    const value = written.trim();
    if (value.length !== written.length) {
      this.#warn('SpacesRemoved', row, column, 'spaces around the value were removed');
    }
    return value;
  }

  #knownValues(cells: readonly string[], row: number): RowValues {
    const values: RowValues = {};
    for (const { column, index } of this.#known) {
      const value = this.#cell(cells, index, row, column);
      if (value === '') continue;
      values[column] = value;
      const problem = checkAnyCell(value) ?? checkKnown(column, value);
      if (problem === undefined) continue;
      (values.bad ??= new Set()).add(column);
      this.#fault(problem.kind, row, column, problem.message);
    }
    return values;
  }

  /** The case a row belongs to; a row without a usable id is checked like a case of its own. */
  #caseOf(values: RowValues, row: number): CaseBuilder {
    const caseId = values.case_id;
    if (caseId === undefined || values.bad?.has('case_id') === true) return this.#namelessCase(row);
    const key = caseId.toLowerCase();
    const known = this.#byId.get(key);
    if (known === undefined) {
      const started: CaseBuilder = { caseId, row, carried: [], studies: [], samples: [] };
      this.#byId.set(key, started);
      this.cases.push(started);
      if (looksMangled(caseId)) {
        const message = `the id ${caseId} looks as if a spreadsheet had changed it (a date, a power of ten); check it`;
        this.#warn('IdLooksMangled', row, 'case_id', message);
      }
      return started;
    }
    if (known.caseId !== caseId) {
      const message = `${caseId} and ${known.caseId} (row ${known.row}) differ in upper and lower case only; write one of them everywhere`;
      this.#fault('IdsDifferInCaseOnly', row, 'case_id', message);
      // Whether it is the same case or another one, comparing its values would only bring faults that are none.
      return this.#namelessCase(row);
    }
    return known;
  }

  #namelessCase(row: number): CaseBuilder {
    const nameless: CaseBuilder = { caseId: `of row ${row}`, row, carried: [], studies: [], samples: [] };
    this.nameless.push(nameless);
    return nameless;
  }

  #carry(owner: CaseBuilder, cells: readonly string[], row: number): void {
    this.#header.carried.forEach(({ name, index }, position) => {
      const value = this.#cell(cells, index, row, name);
      if (value === '') return;
      const problem = checkAnyCell(value.replaceAll(/[\t\r\n]/g, ' '));
      if (problem !== undefined) this.#fault(problem.kind, row, name, problem.message);
      else if ((owner.carried[position] ?? value) === value) owner.carried[position] = value;
      else {
        const message = `differs from an earlier row of the same case (its first is row ${owner.row}); a case has one value in this column`;
        this.#fault('ConflictingValue', row, name, message);
      }
    });
  }

  /** The value told first; another one from a later row is a fault. */
  #tell<T>(told: Told<T> | undefined, value: T, row: number, column: string): Told<T> {
    if (told === undefined) return { value, row };
    if (told.value !== value) {
      const message = `differs from row ${told.row} of the same case; a case has one value in this column`;
      this.#fault('ConflictingValue', row, column, message);
    }
    return told;
  }

  #date(values: RowValues, row: number): Told<string> | undefined {
    return values.date === undefined || values.bad?.has('date') ? undefined : { value: values.date, row };
  }

  /** Ids that differ in case only would be one folder on some systems, two on others. */
  #sameSpelling(
    part: { readonly id?: string; readonly row: number },
    id: string | undefined,
    row: number,
    column: string,
  ): void {
    if (id === undefined || part.id === undefined || part.id === id) return;
    const message = `${id} and ${part.id} (row ${part.row}) differ in upper and lower case only; write one of them everywhere`;
    this.#fault('IdsDifferInCaseOnly', row, column, message);
  }

  #study(owner: CaseBuilder, values: RowValues, row: number): StudyBuilder | undefined {
    const { imaging, image, mask, label } = values;
    if (imaging === undefined && image === undefined && mask === undefined && label === undefined) return undefined;
    const date = this.#date(values, row);
    const study = findPart(owner.studies, values.study_id, date, row, startPart<StudyBuilder>);
    if (values.bad?.has('study_id') !== true) this.#sameSpelling(study, values.study_id, row, 'study_id');
    if (date !== undefined) study.date = this.#tell(study.date, date.value, row, 'date');
    const file = (column: 'imaging' | 'image' | 'mask', value: string, shared: boolean): Told<string> => {
      const path = resolvePath(value, this.#base);
      if (values.bad?.has(column)) return study[column] ?? { value: path, row };
      const known = study[column]?.value === path;
      this.paths.use(path, { row, column, caseId: owner.caseId, known, shared });
      return this.#tell(study[column], path, row, column);
    };
    if (imaging !== undefined) study.imaging = file('imaging', imaging, false);
    if (image !== undefined) study.image = file('image', image, true);
    // One mask serves several studies of a case when its labels tell them apart.
    if (mask !== undefined) study.mask = file('mask', mask, label !== undefined);
    if (label !== undefined && values.bad?.has('label')) study.label ??= { value: 1, row };
    else if (label !== undefined) study.label = this.#tell(study.label, readLabel(label) as number, row, 'label');
    return study;
  }

  #reads(owner: CaseBuilder, values: RowValues, row: number, study: StudyBuilder | undefined): void {
    const { fastq_1: first, fastq_2: second, sra, quant } = values;
    if (first === undefined && second === undefined && sra === undefined && quant === undefined) return;
    if (first === undefined && second !== undefined) {
      this.#fault(
        'MateWithoutFirst',
        row,
        'fastq_1',
        'fastq_2 is given without fastq_1; single-end reads go into fastq_1',
      );
    }
    const date = this.#date(values, row);
    const sample = findPart(owner.samples, values.sample_id, date, row, startSample);
    if (values.bad?.has('sample_id') !== true) this.#sameSpelling(sample, values.sample_id, row, 'sample_id');
    if (values.sample_id !== undefined && date !== undefined && sample.date !== undefined) {
      sample.date = this.#tell(sample.date, date.value, row, 'date');
    }
    const file = (column: 'fastq_1' | 'fastq_2' | 'sra' | 'quant', value: string): string => {
      const accession = column === 'sra' && isRunAccession(value);
      const path = accession ? value.toUpperCase() : resolvePath(value, this.#base);
      if (values.bad?.has(column)) return path;
      this.paths.use(path, { row, column, caseId: owner.caseId, known: holds(sample, path), shared: false });
      return path;
    };
    if (first !== undefined) {
      const fastq1 = file('fastq_1', first);
      const lane = second === undefined ? { fastq1 } : { fastq1, fastq2: file('fastq_2', second) };
      this.#lane(sample, lane, row, study);
    }
    if (sra !== undefined) this.#run(sample, file('sra', sra), row, study);
    if (quant !== undefined) {
      const path = file('quant', quant);
      sample.quant = values.bad?.has('quant')
        ? (sample.quant ?? { value: path, row })
        : this.#tell(sample.quant, path, row, 'quant');
    }
    if (values.strandedness !== undefined) {
      const word = readStrandedness(values.strandedness);
      if (typeof word === 'string') {
        sample.strandedness = this.#tell(sample.strandedness, word, row, 'strandedness');
      }
    }
  }

  #lane(
    sample: SampleBuilder,
    lane: { readonly fastq1: string; readonly fastq2?: string },
    row: number,
    study: StudyBuilder | undefined,
  ): void {
    if (lane.fastq2 !== undefined && matesLookSwapped(lane.fastq1, lane.fastq2)) {
      this.#warn('MatesLookSwapped', row, 'fastq_1', 'by their names, the two mates are swapped; check them');
    }
    const again = sample.lanes.find(({ lane: { fastq1, fastq2 } }) => fastq1 === lane.fastq1 && fastq2 === lane.fastq2);
    // A sheet with a row per study repeats the reads of the case; otherwise a repeated lane would count its reads twice.
    if (again?.study !== undefined && study !== undefined && again.study !== study) return;
    if (again !== undefined || holds(sample, lane.fastq1)) this.#repeated('fastq_1', lane.fastq1, row);
    if (again !== undefined) return;
    if (lane.fastq2 !== undefined && holds(sample, lane.fastq2)) this.#repeated('fastq_2', lane.fastq2, row);
    sample.lanes.push({ lane, row, study });
  }

  /** A file that an earlier row of the same sample gave already, as the same mate. */
  #repeated(column: 'fastq_1' | 'fastq_2', path: string, row: number): void {
    const place = this.paths.placeOf(path);
    if (place === undefined || place.column !== column) return;
    const message = `the same file is given in row ${place.row}; each row of a sample is another lane`;
    this.#fault('SameFileTwice', row, column, message);
  }

  #run(sample: SampleBuilder, run: string, row: number, study: StudyBuilder | undefined): void {
    const again = sample.runs.find((other) => other.value === run);
    if (again === undefined) sample.runs.push({ value: run, row, study });
    else if (again.study === undefined || study === undefined || again.study === study) {
      this.#fault(
        'SameFileTwice',
        row,
        'sra',
        `the same run is given in row ${again.row}; each row of a sample is another run`,
      );
    }
  }
}

/** Whether a sample has a file among its reads. */
function holds(sample: SampleBuilder, path: string): boolean {
  return (
    sample.quant?.value === path ||
    sample.runs.some((run) => run.value === path) ||
    sample.lanes.some(({ lane }) => lane.fastq1 === path || lane.fastq2 === path)
  );
}

function startPart<T extends { readonly row: number; readonly id?: string }>(row: number, id: string | undefined): T {
  return (id === undefined ? { row } : { row, id }) as T;
}

function startSample(row: number, id: string | undefined): SampleBuilder {
  return { row, ...(id === undefined ? {} : { id }), lanes: [], runs: [] };
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
