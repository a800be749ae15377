import { csvLine } from '../csv/index.js';
import { SHEET_COLUMNS, type SheetColumn } from './columns.js';
import type { CohortManifest, CohortUnit, GenomicsUnit, ImagingUnit } from './manifest.js';

type Row = Partial<Record<SheetColumn, string>>;

function imagingRow(unit: ImagingUnit): Row {
  const { source, studyId, date } = unit;
  const files: Row =
    source.kind === 'dicom'
      ? { imaging: source.folder }
      : {
          image: source.image,
          mask: source.mask,
          ...(source.label === undefined ? {} : { label: String(source.label) }),
        };
  return { ...(studyId === undefined ? {} : { study_id: studyId }), ...(date === undefined ? {} : { date }), ...files };
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

function unitsByCase<T extends CohortUnit>(units: readonly T[]): Map<string, T[]> {
  const result = new Map<string, T[]>();
  for (const unit of units) {
    const list = result.get(unit.caseId);
    if (list === undefined) result.set(unit.caseId, [unit]);
    else list.push(unit);
  }
  return result;
}

/**
 * The normalised sheet (`run/cohort.valid.csv`), line by line without line ends: one row per study and lane of each case in
 * sheet order, absolute paths, the columns in use in their fixed order and then the carried ones. Reading it again gives
 * the same cohort.
 */
export function* validSheetLines(manifest: CohortManifest): Generator<string> {
  const imaging = unitsByCase(manifest.imaging);
  const genomics = unitsByCase(manifest.genomics);
  const carried = Object.keys(manifest.cases[0]?.carried ?? {});
  const used = new Set<string>(['case_id']);
  for (const unit of manifest.imaging) for (const name of Object.keys(imagingRow(unit))) used.add(name);
  for (const unit of manifest.genomics) {
    for (const row of genomicsRows(unit)) for (const name of Object.keys(row)) used.add(name);
  }
  const columns = SHEET_COLUMNS.filter((column) => used.has(column));
  yield csvLine([...columns, ...carried]);

  for (const { caseId, carried: values } of manifest.cases) {
    const studies = (imaging.get(caseId) ?? []).map(imagingRow);
    const lanes = (genomics.get(caseId) ?? []).flatMap(genomicsRows);
    // The case's first study and first lane share a row, as people write it, unless a date would then tell a sample too.
    const shared = studies.length <= 1 && lanes.every((lane) => lane.sample_id === undefined);
    const rows = shared ? [{ ...studies[0], ...lanes[0] }, ...lanes.slice(1)] : [...studies, ...lanes];
    for (const row of rows) {
      const cells: Row = { ...row, case_id: caseId };
      yield csvLine([...columns.map((column) => cells[column] ?? ''), ...carried.map((name) => values[name] ?? '')]);
    }
  }
}

/** {@link validSheetLines} as one text, every line ended by LF. */
export function validSheetCsv(manifest: CohortManifest): string {
  return `${[...validSheetLines(manifest)].join('\n')}\n`;
}
