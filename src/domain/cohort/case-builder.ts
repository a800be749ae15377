import { isoDay } from './iso-day.js';
import type { CohortCase, GenomicsUnit, ImagingUnit, Lane, Strandedness } from './manifest.js';
import type { Dated, PartList, Told } from './part-list.js';
import type { FaultList, SheetFaultKind } from './sheet-fault.js';

/** Reads of one sample while its rows are gathered. */
export interface SampleBuilder extends Dated {
  readonly lanes: { readonly lane: Lane; readonly row: number; readonly study: StudyBuilder | undefined }[];
  readonly runs: (Told<string> & { readonly study: StudyBuilder | undefined })[];
  /** What the sample holds already, made when its second row comes: files, and lanes as `fastq_1\nfastq_2`. */
  seen?: { readonly files: Set<string>; readonly lanes: Map<string, StudyBuilder | undefined> };
  quant?: Told<string>;
  strandedness?: Told<Strandedness>;
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
  /** Values of the carried columns, by their place in the sheet; what no row gave is absent. */
  readonly carried: string[];
  readonly studies: PartList<StudyBuilder>;
  readonly samples: PartList<SampleBuilder>;
}

/** Names of the parts that dates tell apart: numbers in the order of the dates (of the sheet, where they are not ISO). */
function numberByDate<T extends Dated>(parts: readonly T[], word: string): Map<T, string> {
  const days = new Map(parts.map((part) => [part, isoDay(part.date?.value ?? '')]));
  const iso = [...days.values()].every((day) => day !== undefined);
  const ordered = iso ? [...parts].sort((a, b) => (days.get(a)! < days.get(b)! ? -1 : 1)) : [...parts];
  return new Map(ordered.map((part, index) => [part, `${word}-${index + 1}`]));
}

/** Checks that the parts of a case are told apart, and gives those an id that only their dates tell apart. */
function tellApart<T extends Dated>(
  parts: readonly T[],
  word: 'study' | 'sample',
  kind: SheetFaultKind,
  faults: FaultList,
): ReadonlyMap<T, string> | undefined {
  if (parts.length < 2) return undefined;
  const withoutId = parts.filter((part) => part.id === undefined);
  const [first] = withoutId;
  if (first === undefined) return undefined;
  if (withoutId.length < parts.length) {
    const message = `other rows of this case have a ${word}_id, this one has none; give every ${word} of the case one`;
    faults.add({ kind, row: first.row, column: `${word}_id`, message });
    return undefined;
  }
  const undated = withoutId.find((part) => part.undatedRow !== undefined);
  if (undated !== undefined) {
    const several = word === 'study' ? 'studies' : 'samples';
    const message = `the case has several ${several} told apart by date, and this row has none; give it a date or a ${word}_id`;
    faults.add({ kind, row: undated.undatedRow as number, column: 'date', message });
  }
  return numberByDate(withoutId, word);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function imagingUnit(caseId: string, study: StudyBuilder, studyId: string | undefined): ImagingUnit | undefined {
  const { imaging, image, mask, label, date } = study;
  let source: ImagingUnit['source'];
  if (imaging !== undefined) source = { kind: 'dicom', folder: imaging.value };
  else if (image === undefined || mask === undefined) return undefined;
  else if (label === undefined) source = { kind: 'nifti', image: image.value, mask: mask.value };
  else source = { kind: 'nifti', image: image.value, mask: mask.value, label: label.value };
  const unit: Mutable<ImagingUnit> = { modality: 'imaging', caseId, source };
  if (studyId !== undefined) unit.studyId = studyId;
  if (date !== undefined) unit.date = date.value;
  return unit;
}

function genomicsUnit(caseId: string, sample: SampleBuilder, sampleId: string | undefined): GenomicsUnit | undefined {
  const strandedness = sample.strandedness?.value ?? 'auto';
  let source: GenomicsUnit['source'];
  if (sample.quant !== undefined) source = { kind: 'quant', path: sample.quant.value };
  else if (sample.runs.length > 0) source = { kind: 'sra', runs: sample.runs.map((run) => run.value), strandedness };
  else if (sample.lanes.length === 0) return undefined;
  else source = { kind: 'fastq', lanes: sample.lanes.map(({ lane }) => lane), strandedness };
  const unit: Mutable<GenomicsUnit> = { modality: 'genomics', caseId, source };
  if (sampleId !== undefined) unit.sampleId = sampleId;
  return unit;
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
  const kinds = Number(sample.lanes.length > 0) + Number(sample.runs.length > 0) + Number(sample.quant !== undefined);
  if (kinds > 1) checkWays(sample, faults);
  const paired = sample.lanes.find(({ lane }) => lane.fastq2 !== undefined);
  const single = sample.lanes.find(({ lane }) => lane.fastq2 === undefined);
  if (paired !== undefined && single !== undefined) {
    const message =
      'this lane is single-end and other lanes of the sample are paired; they cannot be quantified together';
    faults.add({ kind: 'MixedLayout', row: single.row, column: 'fastq_2', message });
  }
}

function checkWays(sample: SampleBuilder, faults: FaultList): void {
  const ways = [
    ...(sample.lanes[0] === undefined ? [] : [{ name: 'fastq_1', row: sample.lanes[0].row }]),
    ...(sample.runs[0] === undefined ? [] : [{ name: 'sra', row: sample.runs[0].row }]),
    ...(sample.quant === undefined ? [] : [{ name: 'quant', row: sample.quant.row }]),
  ];
  const last = ways.reduce((a, b) => (b.row >= a.row ? b : a));
  const message = `the reads of the sample are given in ${ways.length} ways (${ways.map((way) => way.name).join(', ')}); keep one`;
  faults.add({ kind: 'ReadsGivenTwice', row: last.row, column: last.name, message });
}

/** Collects the units of finished cases. */
export interface UnitSink {
  readonly cases: CohortCase[];
  readonly imaging: ImagingUnit[];
  readonly genomics: GenomicsUnit[];
}

/** Adds the units of one finished case; what does not fit together goes to `faults`. */
export function finishCase(
  builder: CaseBuilder,
  carriedNames: readonly string[],
  faults: FaultList,
  sink: UnitSink,
): void {
  const { caseId } = builder;
  const studies = builder.studies.parts;
  const samples = builder.samples.parts;
  const studyIds = tellApart(studies, 'study', 'StudyNotTold', faults);
  for (const study of studies) {
    checkStudy(study, faults);
    const unit = imagingUnit(caseId, study, study.id ?? studyIds?.get(study));
    if (unit !== undefined) sink.imaging.push(unit);
  }
  const sampleIds = tellApart(samples, 'sample', 'SampleNotTold', faults);
  for (const sample of samples) {
    checkSample(sample, faults);
    const unit = genomicsUnit(caseId, sample, sample.id ?? sampleIds?.get(sample));
    if (unit !== undefined) sink.genomics.push(unit);
  }
  // Every case has every carried column, in the order of the sheet; fromEntries also takes a column named __proto__.
  const carried = Object.fromEntries(carriedNames.map((name, index) => [name, builder.carried[index] ?? '']));
  sink.cases.push({ caseId, carried });
}
