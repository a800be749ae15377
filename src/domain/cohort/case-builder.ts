import type { CohortCase, GenomicsUnit, ImagingUnit, Lane, Strandedness } from './manifest.js';
import type { FaultList, SheetFaultKind } from './sheet-fault.js';

/** A value that several rows may give, with the row that gave it first. */
export interface Told<T> {
  readonly value: T;
  readonly row: number;
}

/** Reads of one sample while its rows are gathered. */
export interface SampleBuilder extends Dated {
  lanes: (Lane & { readonly row: number; readonly study: StudyBuilder | undefined })[];
  runs: (Told<string> & { readonly study: StudyBuilder | undefined })[];
  quant?: Told<string>;
  strandedness?: Told<Strandedness>;
}

/** What a study or a sample is told apart by. */
interface Dated {
  readonly row: number;
  readonly id?: string;
  date?: Told<string>;
  /** Row that belongs here because it gave no date; a fault once the case turns out to have several. */
  undatedRow?: number;
}

export interface StudyBuilder extends Dated {
  imaging?: Told<string>;
  image?: Told<string>;
  mask?: Told<string>;
  label?: Told<number>;
}

/** One case while its rows are gathered. */
export interface CaseBuilder {
  readonly caseId: string;
  readonly row: number;
  readonly carried: (Told<string> | undefined)[];
  readonly studies: StudyBuilder[];
  readonly samples: SampleBuilder[];
}

/**
 * Finds the study or sample a row belongs to, or starts it: by id where the sheet gives one, else by date. Ids that differ
 * in case only are one folder on many file systems, so they are one.
 */
export function findPart<T extends Dated>(
  parts: T[],
  id: string | undefined,
  date: Told<string> | undefined,
  row: number,
  start: (row: number, id: string | undefined) => T,
): T {
  const sameKind = parts.filter((part) => part.id?.toLowerCase() === id?.toLowerCase());
  const found =
    id !== undefined
      ? sameKind[0]
      : date === undefined
        ? sameKind[0]
        : (sameKind.find((part) => part.date?.value === date.value) ??
          sameKind.find((part) => part.date === undefined));
  const part = found ?? start(row, id);
  if (found === undefined) parts.push(part);
  if (date === undefined) part.undatedRow ??= row;
  else part.date ??= date;
  return part;
}

/** Names of the parts that dates tell apart: numbers in the order of the dates (of the sheet, where they are not ISO). */
function numberByDate<T extends Dated>(parts: readonly T[], word: string): Map<T, string> {
  const iso = parts.every((part) => /^\d{4}-?\d{2}-?\d{2}/.test(part.date?.value ?? ''));
  const ordered = iso
    ? [...parts].sort((a, b) => ((a.date?.value ?? '') < (b.date?.value ?? '') ? -1 : 1))
    : [...parts];
  return new Map(ordered.map((part, index) => [part, `${word}-${index + 1}`]));
}

/** The id each part of a case ends up with; none for an only part without one. */
function partIds<T extends Dated>(
  parts: readonly T[],
  word: 'study' | 'sample',
  kind: SheetFaultKind,
  faults: FaultList,
): Map<T, string | undefined> {
  const withoutId = parts.filter((part) => part.id === undefined);
  const ids = new Map<T, string | undefined>(parts.map((part) => [part, part.id]));
  if (withoutId.length === 0 || parts.length === 1) return ids;
  if (withoutId.length < parts.length) {
    const row = (withoutId[0] as T).row;
    const message = `other rows of this case have a ${word}_id, this one has none; give every ${word} of the case one`;
    faults.add({ kind, row, column: `${word}_id`, message });
    return ids;
  }
  const undated = withoutId.find((part) => part.undatedRow !== undefined);
  if (undated !== undefined) {
    const message = `the case has several ${word === 'study' ? 'studies' : 'samples'} told apart by date, and this row has none; give it a date or a ${word}_id`;
    faults.add({ kind, row: undated.undatedRow as number, column: 'date', message });
  }
  for (const [part, id] of numberByDate(withoutId, word)) ids.set(part, id);
  return ids;
}

function imagingUnit(caseId: string, study: StudyBuilder, studyId: string | undefined): ImagingUnit | undefined {
  const { imaging, image, mask, label, date } = study;
  const common = {
    modality: 'imaging' as const,
    caseId,
    ...(studyId === undefined ? {} : { studyId }),
    ...(date === undefined ? {} : { date: date.value }),
  };
  if (imaging !== undefined) return { ...common, source: { kind: 'dicom', folder: imaging.value } };
  if (image === undefined || mask === undefined) return undefined;
  const files = { kind: 'nifti' as const, image: image.value, mask: mask.value };
  return { ...common, source: label === undefined ? files : { ...files, label: label.value } };
}

function genomicsUnit(caseId: string, sample: SampleBuilder, sampleId: string | undefined): GenomicsUnit | undefined {
  const common = { modality: 'genomics' as const, caseId, ...(sampleId === undefined ? {} : { sampleId }) };
  const strandedness = sample.strandedness?.value ?? 'auto';
  if (sample.quant !== undefined) return { ...common, source: { kind: 'quant', path: sample.quant.value } };
  if (sample.runs.length > 0) {
    return { ...common, source: { kind: 'sra', runs: sample.runs.map((run) => run.value), strandedness } };
  }
  if (sample.lanes.length === 0) return undefined;
  const lanes = sample.lanes.map(({ fastq1, fastq2 }) => (fastq2 === undefined ? { fastq1 } : { fastq1, fastq2 }));
  return { ...common, source: { kind: 'fastq', lanes, strandedness } };
}

function checkStudy(study: StudyBuilder, faults: FaultList): void {
  const { imaging, image, mask, label, row } = study;
  const fault = (kind: SheetFaultKind, at: number, column: string, message: string): void =>
    faults.add({ kind, row: at, column, message });
  const nifti = image ?? mask;
  if (imaging !== undefined && nifti !== undefined) {
    const message = 'the study is given twice, under imaging and as image and mask; keep one';
    fault('ImagingGivenTwice', Math.max(imaging.row, nifti.row), 'imaging', message);
  } else if (image !== undefined && mask === undefined) {
    fault(
      'ImageWithoutMask',
      image.row,
      'mask',
      'an image needs a mask; give its file, or the DICOM folder under imaging',
    );
  } else if (mask !== undefined && image === undefined) {
    fault('MaskWithoutImage', mask.row, 'image', 'a mask needs the image it lies on');
  } else if (label !== undefined && mask === undefined) {
    const message = 'a label picks a value of a mask, and the study has no mask; leave it empty';
    fault('LabelWithoutMask', label.row ?? row, 'label', message);
  }
}

function checkSample(sample: SampleBuilder, faults: FaultList): void {
  const ways = [
    ...(sample.lanes[0] === undefined ? [] : [{ name: 'fastq_1', row: sample.lanes[0].row }]),
    ...(sample.runs[0] === undefined ? [] : [{ name: 'sra', row: sample.runs[0].row }]),
    ...(sample.quant === undefined ? [] : [{ name: 'quant', row: sample.quant.row }]),
  ];
  if (ways.length > 1) {
    const last = ways.reduce((a, b) => (b.row >= a.row ? b : a));
    const message = `the reads of the sample are given in ${ways.length} ways (${ways.map((way) => way.name).join(', ')}); keep one`;
    faults.add({ kind: 'ReadsGivenTwice', row: last.row, column: last.name, message });
  }
  const paired = sample.lanes.find((lane) => lane.fastq2 !== undefined);
  const single = sample.lanes.find((lane) => lane.fastq2 === undefined);
  if (paired !== undefined && single !== undefined) {
    const message =
      'this lane is single-end and other lanes of the sample are paired; they cannot be quantified together';
    faults.add({ kind: 'MixedLayout', row: single.row, column: 'fastq_2', message });
  }
}

/** Units of one finished case; what does not fit together goes to `faults`. */
export function finishCase(
  builder: CaseBuilder,
  carriedNames: readonly string[],
  faults: FaultList,
): { readonly entry: CohortCase; readonly imaging: ImagingUnit[]; readonly genomics: GenomicsUnit[] } {
  const imaging: ImagingUnit[] = [];
  for (const [study, id] of partIds(builder.studies, 'study', 'StudyNotTold', faults)) {
    checkStudy(study, faults);
    const unit = imagingUnit(builder.caseId, study, id);
    if (unit !== undefined) imaging.push(unit);
  }
  const genomics: GenomicsUnit[] = [];
  for (const [sample, id] of partIds(builder.samples, 'sample', 'SampleNotTold', faults)) {
    checkSample(sample, faults);
    const unit = genomicsUnit(builder.caseId, sample, id);
    if (unit !== undefined) genomics.push(unit);
  }
  // Every case has every carried column, in the order of the sheet; fromEntries also takes a column named __proto__.
  const carried = Object.fromEntries(carriedNames.map((name, index) => [name, builder.carried[index]?.value ?? '']));
  return { entry: { caseId: builder.caseId, carried }, imaging, genomics };
}
