import { finishCase, type CaseBuilder, type SampleBuilder, type StudyBuilder, type UnitSink } from './case-builder.js';
import { isRunAccession, matesLookSwapped, readLabel, readStrandedness } from './cell-checks.js';
import type { CaseRows, SheetRow, WarningList } from './gather-rows.js';
import { PartList, type Told } from './part-list.js';
import { PathRegister } from './path-register.js';
import type { FaultList, SheetFaultKind } from './sheet-fault.js';
import { resolvePath } from './sheet-paths.js';

/** Merges the rows of each case into its studies and samples, and finds what does not fit together. */
export class RowMerger {
  readonly #paths: PathRegister;
  readonly #base: string;
  readonly #carriedNames: readonly string[];
  readonly #faults: FaultList;
  readonly #warnings: WarningList;

  /** @param base folder or URI that relative paths start from */
  constructor(base: string, carriedNames: readonly string[], faults: FaultList, warnings: WarningList) {
    this.#base = base;
    this.#carriedNames = carriedNames;
    this.#faults = faults;
    this.#warnings = warnings;
    this.#paths = new PathRegister(faults);
  }

  /** Every file met so far. */
  get paths(): PathRegister {
    return this.#paths;
  }

  /** Adds the units of one case to `sink`. */
  merge({ caseId, first, more }: CaseRows, sink: UnitSink): void {
    const owner: CaseBuilder = {
      caseId,
      row: first.row,
      carried: [],
      studies: new PartList(startStudy),
      samples: new PartList(startSample),
    };
    this.#row(owner, first);
    for (const row of more ?? []) this.#row(owner, row);
    finishCase(owner, this.#carriedNames, this.#faults, sink);
  }

  #row(owner: CaseBuilder, row: SheetRow): void {
    this.#carry(owner, row);
    this.#reads(owner, row, this.#study(owner, row));
  }

  #fault(kind: SheetFaultKind, row: number, column: string | undefined, message: string): void {
    this.#faults.add({ kind, row, ...(column === undefined ? {} : { column }), message });
  }

  #carry(owner: CaseBuilder, { carried, row }: SheetRow): void {
    carried?.forEach((value, position) => {
      if (value === '') return;
      const told = owner.carried[position];
      if (told === undefined || told === '') owner.carried[position] = value;
      else if (told !== value) {
        const message = `differs from an earlier row of the same case (its first is row ${owner.row}); a case has one value in this column`;
        this.#fault('ConflictingValue', row, this.#carriedNames[position], message);
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

  #date({ values, row, bad }: SheetRow): Told<string> | undefined {
    return values.date === undefined || bad?.has('date') === true ? undefined : { value: values.date, row };
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

  #study(owner: CaseBuilder, sheetRow: SheetRow): StudyBuilder | undefined {
    const { values, row, bad } = sheetRow;
    const { imaging, image, mask, label } = values;
    if (imaging === undefined && image === undefined && mask === undefined && label === undefined) return undefined;
    const date = this.#date(sheetRow);
    const study = owner.studies.find(values.study_id, date, row);
    if (bad?.has('study_id') !== true) this.#sameSpelling(study, values.study_id, row, 'study_id');
    if (date !== undefined) study.date = this.#tell(study.date, date.value, row, 'date');
    const file = (column: 'imaging' | 'image' | 'mask', value: string, shared: boolean): Told<string> => {
      const path = resolvePath(value, this.#base);
      if (bad?.has(column)) return study[column] ?? { value: path, row };
      const known = (): boolean => study[column]?.value === path;
      this.#paths.use(path, { row, column, caseId: owner.caseId, known, shared });
      return this.#tell(study[column], path, row, column);
    };
    if (imaging !== undefined) study.imaging = file('imaging', imaging, false);
    if (image !== undefined) study.image = file('image', image, true);
    // One mask serves several studies of a case when its labels tell them apart.
    if (mask !== undefined) study.mask = file('mask', mask, label !== undefined);
    if (label !== undefined && bad?.has('label')) study.label ??= { value: 1, row };
    else if (label !== undefined) study.label = this.#tell(study.label, readLabel(label) as number, row, 'label');
    return study;
  }

  #reads(owner: CaseBuilder, sheetRow: SheetRow, study: StudyBuilder | undefined): void {
    const { values, row, bad } = sheetRow;
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
    const date = this.#date(sheetRow);
    const sample = owner.samples.find(values.sample_id, date, row);
    if (bad?.has('sample_id') !== true) this.#sameSpelling(sample, values.sample_id, row, 'sample_id');
    if (values.sample_id !== undefined && date !== undefined && sample.date !== undefined) {
      sample.date = this.#tell(sample.date, date.value, row, 'date');
    }
    const file = (column: 'fastq_1' | 'fastq_2' | 'sra' | 'quant', value: string): string => {
      const accession = column === 'sra' && isRunAccession(value);
      const path = accession ? value.toUpperCase() : resolvePath(value, this.#base);
      if (bad?.has(column)) return path;
      this.#paths.use(path, { row, column, caseId: owner.caseId, known: () => holds(sample, path), shared: false });
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
      sample.quant = bad?.has('quant')
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
      this.#warnings.add('MatesLookSwapped', row, 'fastq_1', 'by their names, the two mates are swapped; check them');
    }
    const { fastq1, fastq2 = '' } = lane;
    if (sample.lanes.length > 0) {
      const seen = (sample.seen ??= seenIn(sample));
      const key = `${fastq1}\n${fastq2}`;
      if (seen.lanes.has(key)) {
        const other = seen.lanes.get(key);
        // A sheet with a row per study repeats the reads of the case; otherwise a repeated lane would count its reads twice.
        if (other === undefined || study === undefined || other === study) this.#repeated('fastq_1', fastq1, row);
        return;
      }
      if (seen.files.has(fastq1)) this.#repeated('fastq_1', fastq1, row);
      if (seen.files.has(fastq2)) this.#repeated('fastq_2', fastq2, row);
      seen.lanes.set(key, study);
      seen.files.add(fastq1);
      if (fastq2 !== '') seen.files.add(fastq2);
    }
    sample.lanes.push({ lane, row, study });
  }

  /** A file that an earlier row of the same sample gave already, as the same mate. */
  #repeated(column: 'fastq_1' | 'fastq_2', path: string, row: number): void {
    const place = this.#paths.placeOf(path);
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

/** Files and lanes that a sample holds. */
function seenIn(sample: SampleBuilder): NonNullable<SampleBuilder['seen']> {
  const files = new Set<string>();
  const lanes = new Map<string, StudyBuilder | undefined>();
  for (const { lane, study } of sample.lanes) {
    files.add(lane.fastq1);
    if (lane.fastq2 !== undefined) files.add(lane.fastq2);
    lanes.set(`${lane.fastq1}\n${lane.fastq2 ?? ''}`, study);
  }
  return { files, lanes };
}

/** Whether a sample has a file among its reads. */
function holds(sample: SampleBuilder, path: string): boolean {
  if (sample.quant?.value === path || sample.runs.some((run) => run.value === path)) return true;
  if (sample.lanes.length === 0) return false;
  return (sample.seen ??= seenIn(sample)).files.has(path);
}

function startStudy(row: number, id: string | undefined): StudyBuilder {
  return id === undefined ? { row } : { row, id };
}

function startSample(row: number, id: string | undefined): SampleBuilder {
  return { row, ...(id === undefined ? {} : { id }), lanes: [], runs: [] };
}
