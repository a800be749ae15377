import { csvLine } from '../csv/index.js';
import { SHEET_COLUMNS, type SheetColumn } from './columns.js';
import type { CohortManifest, CohortUnit, GenomicsUnit, ImagingUnit } from './manifest.js';

type Row = Partial<Record<SheetColumn, string>>;

function imagingRow({ source, studyId, date }: ImagingUnit): Row {
  const row: Row = {};
  if (studyId !== undefined) row.study_id = studyId;
  if (date !== undefined) row.date = date;
  if (source.kind === 'dicom') row.imaging = source.folder;
  else {
    row.image = source.image;
    row.mask = source.mask;
    if (source.label !== undefined) row.label = String(source.label);
  }
  return row;
}

function genomicsRows(unit: GenomicsUnit): Row[] {
  const { source, sampleId } = unit;
  const common: Row = sampleId === undefined ? {} : { sample_id: sampleId };
  if (source.kind === 'quant') return [{ ...common, quant: source.path }];
  const { strandedness } = source;
  if (source.kind === 'sra') return source.runs.map((sra) => ({ ...common, strandedness, sra }));
  return source.lanes.map(({ fastq1, fastq2 }) => ({
    ...common,
    fastq_1: fastq1,
    ...(fastq2 === undefined ? {} : { fastq_2: fastq2 }),
    strandedness,
  }));
}

/** Units of one case after the other: they lie in the order of the cases. */
class UnitCursor<T extends CohortUnit> {
  #at = 0;
  readonly #units: readonly T[];

  constructor(units: readonly T[]) {
    this.#units = units;
  }

  take(caseId: string): T[] {
    const start = this.#at;
    while (this.#units[this.#at]?.caseId === caseId) this.#at += 1;
    return this.#units.slice(start, this.#at);
  }

  /** A manifest in another order would lose units in silence. */
  end(): void {
    if (this.#at < this.#units.length) throw new Error('the units of the manifest are not in the order of its cases');
  }
}

/** Columns that at least one unit fills. */
function usedColumns({ imaging, genomics }: CohortManifest): SheetColumn[] {
  const fastq = genomics.filter(({ source }) => source.kind === 'fastq');
  const used: Readonly<Record<SheetColumn, boolean>> = {
    case_id: true,
    study_id: imaging.some(({ studyId }) => studyId !== undefined),
    sample_id: genomics.some(({ sampleId }) => sampleId !== undefined),
    date: imaging.some(({ date }) => date !== undefined),
    imaging: imaging.some(({ source }) => source.kind === 'dicom'),
    image: imaging.some(({ source }) => source.kind === 'nifti'),
    mask: imaging.some(({ source }) => source.kind === 'nifti'),
    label: imaging.some(({ source }) => source.kind === 'nifti' && source.label !== undefined),
    fastq_1: fastq.length > 0,
    fastq_2: fastq.some(
      ({ source }) => source.kind === 'fastq' && source.lanes.some((lane) => lane.fastq2 !== undefined),
    ),
    strandedness: genomics.some(({ source }) => source.kind !== 'quant'),
    sra: genomics.some(({ source }) => source.kind === 'sra'),
    quant: genomics.some(({ source }) => source.kind === 'quant'),
  };
  return SHEET_COLUMNS.filter((column) => used[column]);
}

/**
 * The normalised sheet (`run/cohort.valid.csv`), line by line without line ends: one row per study and lane of each case in
 * sheet order, absolute paths, the columns in use in their fixed order and then the carried ones. Reading it again gives
 * the same cohort.
 */
export function* validSheetLines(manifest: CohortManifest): Generator<string> {
  const imaging = new UnitCursor(manifest.imaging);
  const genomics = new UnitCursor(manifest.genomics);
  const carried = Object.keys(manifest.cases[0]?.carried ?? {});
  const columns = usedColumns(manifest);
  yield csvLine([...columns, ...carried]);

  for (const { caseId, carried: values } of manifest.cases) {
    const studies = imaging.take(caseId).map(imagingRow);
    const lanes = genomics.take(caseId).flatMap(genomicsRows);
    // The case's only study and its first lane share a row, as people write it.
    const shared = studies.length <= 1 && lanes.every((lane) => lane.sample_id === undefined);
    const rows = shared ? [{ ...studies[0], ...lanes[0] }, ...lanes.slice(1)] : [...studies, ...lanes];
    for (const row of rows) {
      row.case_id = caseId;
      const cells = columns.map((column) => row[column] ?? '');
      for (const name of carried) cells.push(values[name] ?? '');
      yield csvLine(cells);
    }
  }
  imaging.end();
  genomics.end();
}

/** {@link validSheetLines} as one text, every line ended by LF. */
export function validSheetCsv(manifest: CohortManifest): string {
  return `${[...validSheetLines(manifest)].join('\n')}\n`;
}
