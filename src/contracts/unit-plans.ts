import { unitKey, type GenomicsUnit } from '../domain/cohort/manifest.js';
import { CohortflowError } from '../domain/errors.js';
import { correctsMask } from '../domain/radiomics/corrects-mask.js';
import type { JsonObject } from '../steps/step.js';
import type { StepReport, StepRequest } from './activities.js';
import type { GenomicsSampleInput, ImagingStudyInput } from './inputs.js';

/**
 * What the steps of one unit are, and how the outputs of one are the inputs of the next. Written once for two readers: the
 * unit's workflow runs the steps as activities, the reuse scan asks for each whether it is finished already.
 */

/** Runs, or looks up, one step of a unit. */
export type PlannedStep = (
  step: string,
  params: StepRequest['params'],
  inputs: StepRequest['inputs'],
) => Promise<Pick<StepReport, 'folder' | 'outputs'>>;

/** Whose steps these are and where their files go, below the output. */
export interface UnitPlace {
  readonly unit: NonNullable<StepRequest['unit']>;
  readonly folder: string;
}

function definedOnly(values: Readonly<Record<string, string | number | boolean | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as JsonObject;
}

export function imagingPlace({ unit }: Pick<ImagingStudyInput, 'unit'>): UnitPlace {
  return {
    unit: { caseId: unit.caseId, part: unit.studyId ?? '', modality: 'imaging' },
    folder: `imaging/${unitKey(unit)}`,
  };
}

/** One study: convert, measure, draw. */
export async function imagingPlan(input: ImagingStudyInput, step: PlannedStep): Promise<void> {
  const { unit, choice = {} } = input;
  const { source } = unit;
  const original: Record<string, readonly string[]> =
    source.kind === 'dicom' ? { study: [source.folder] } : { image: [source.image], mask: [source.mask] };
  const label = source.kind === 'nifti' ? source.label : undefined;
  const { roi, series, featureSet } = choice;
  // Of DICOM the masks are drawn on the image's grid in any case.
  const correctMask = source.kind === 'nifti' && correctsMask(input.settings) ? true : undefined;
  const converted = await step('imaging.convert', definedOnly({ roi, series, label, correctMask }), original);

  const at = (path: string): string => `${converted.folder}/${path}`;
  const volumes = { image: [at('ct.nii.gz')], mask: [at('seg.nii.gz')] };
  const segments = converted.outputs.filter((path) => path.startsWith('segments/')).map(at);
  const measure: JsonObject = {
    set: featureSet ?? 'default',
    ...(input.settings === undefined ? {} : { settings: input.settings }),
  };
  await step('imaging.radiomics', measure, { ...volumes, conversion: [at('conversion.json')], segments });
  await step('imaging.overlay', { title: unitKey(unit) }, volumes);
}

export function genomicsPlace({ unit }: Pick<GenomicsSampleInput, 'unit'>): UnitPlace {
  return {
    unit: { caseId: unit.caseId, part: unit.sampleId ?? '', modality: 'genomics' },
    folder: `genomics/${unitKey(unit)}`,
  };
}

/** The files of a sample by role, as the quantify step names them. */
function readsOf(source: GenomicsUnit['source']): Record<string, readonly string[]> {
  switch (source.kind) {
    case 'fastq':
      return {
        fastq1: source.lanes.map((lane) => lane.fastq1),
        fastq2: source.lanes.flatMap((lane) => (lane.fastq2 === undefined ? [] : [lane.fastq2])),
      };
    case 'sra':
      return { sra: source.runs };
    case 'quant':
      return { quant: [source.path] };
  }
}

/** True for reads that DRAGEN is to quantify; what is quantified already stays as it is. */
export function quantifiedByDragen({ executor, unit }: Pick<GenomicsSampleInput, 'executor' | 'unit'>): boolean {
  return executor === 'dragen' && unit.source.kind !== 'quant';
}

/**
 * One sample: reads to gene expression.
 *
 * @throws StepNotStarted when its reference could not be prepared
 */
export async function genomicsPlan(input: GenomicsSampleInput, step: PlannedStep): Promise<void> {
  const { unit, index, annotation, threads } = input;
  const { source } = unit;
  if (input.referenceFailure !== undefined && source.kind !== 'quant') {
    throw new StepNotStarted('genomics.reference', input.referenceFailure);
  }
  if (quantifiedByDragen(input)) {
    const { dragen } = input;
    const { strandedness } = source as Exclude<typeof source, { readonly kind: 'quant' }>;
    const table = annotation === undefined ? {} : { annotation: [annotation] };
    // Reference and annotation count by what is in them, not by where they lie.
    const files = dragen === undefined ? {} : { reference: [dragen.reference], gtf: [dragen.annotation] };
    const params = { executor: 'dragen', strandedness, ...(dragen === undefined ? {} : { profile: dragen.profile }) };
    await step('genomics.quantify', params, { ...readsOf(source), ...table, ...files });
    return;
  }
  const params: JsonObject = {
    ...(source.kind === 'quant' ? {} : { strandedness: source.strandedness }),
    ...(threads === undefined ? {} : { threads }),
  };
  const inputs = {
    ...readsOf(source),
    ...(index === undefined || source.kind === 'quant' ? {} : { index: [index] }),
    ...(annotation === undefined ? {} : { annotation: [annotation] }),
  };
  await step('genomics.quantify', params, inputs);
}

/** Thrown inside a unit's work when something it needs failed before: recorded like a failed step. */
export class StepNotStarted extends CohortflowError {
  constructor(
    readonly step: string,
    failure: { readonly code: CohortflowError['code']; readonly message: string },
  ) {
    super(failure.code, failure.message);
  }
}
