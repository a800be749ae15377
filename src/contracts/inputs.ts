import type { GenomicsUnit, ImagingUnit } from '../domain/cohort/manifest.js';
import { CohortflowError } from '../domain/errors.js';
import type { FailureCode } from '../domain/failures/index.js';
import type { JsonObject } from '../steps/step.js';
import type { FieldRule, FieldRules } from './input-check.js';
import type { FanOutModality } from './workflow-ids.js';

/**
 * Inputs of the workflows: one plain-JSON object each. Paths are absolute or URIs. Only what is marked `required` in the
 * rules must be given. `schemaVersion` is 1.
 */

const CASE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const text = (about: string): FieldRule => ({ kind: 'text', about });
const needed = (about: string): FieldRule => ({ kind: 'text', about, required: true });

const COMMON: FieldRules = {
  schemaVersion: { kind: 'version', about: 'version of this input, 1' },
  output: needed('folder of the results, absolute'),
  recordIdentifier: text('name of the id column of the feature groups; Case_ID'),
  eventTimeName: text('name of the event time column; timestamp'),
  force: { kind: 'flag', about: 'run every step again, reuse nothing' },
  prepared: { kind: 'object', about: 'internal: what the parent cohort prepared' },
};

const IMAGING: FieldRules = {
  radiomics: text('pyradiomics parameter file (YAML), absolute'),
  featureSet: { kind: 'text', choices: ['default', 'seed'], about: 'which features' },
  roi: text('name or pattern of the segments to measure'),
  series: text('segmentation or CT series to take where several fit'),
};

const GENOMICS: FieldRules = {
  transcripts: text('transcript FASTA, absolute'),
  annotation: text('GTF, GFF3 or a table of transcript and gene, absolute'),
  index: text('ready Salmon index, absolute'),
  threads: { kind: 'count', about: 'threads of one quantification' },
};

const DATASET: FieldRules = {
  population: { kind: 'text', choices: ['sheet', 'union'], about: 'whose rows the data set has' },
  genes: { kind: 'countOrTexts', about: 'how many genes, or a list of gene ids, go into the data set' },
};

const cohort = needed('cohort sheet (CSV), absolute');
/** A server takes at most 2,000 children of one parent under way; ten lanes share this many. */
export const MOST_CONCURRENCY = 2000;
const concurrency: FieldRule = { kind: 'count', most: MOST_CONCURRENCY, about: 'units at once; 50' };

export const IMAGING_COHORT_RULES: FieldRules = { cohort, concurrency, ...COMMON, ...IMAGING, ...DATASET };
export const GENOMICS_COHORT_RULES: FieldRules = { cohort, concurrency, ...COMMON, ...GENOMICS, ...DATASET };
export const CLINICAL_RULES: FieldRules = {
  clinical: needed('clinical table (CSV), absolute'),
  clinicalSpec: { kind: 'textOrObject', about: 'name of a specification, path of one, or the document itself' },
  ...COMMON,
};
export const MULTIMODAL_RULES: FieldRules = {
  cohort: text('cohort sheet (CSV), absolute'),
  clinical: text('clinical table (CSV), absolute'),
  clinicalSpec: CLINICAL_RULES['clinicalSpec'] as FieldRule,
  concurrency: { kind: 'countOrObject', about: 'units at once, for both modalities or {imaging, genomics}; 50' },
  ...COMMON,
  ...IMAGING,
  ...GENOMICS,
  ...DATASET,
};

export interface CommonInput {
  readonly schemaVersion?: number;
  readonly output: string;
  readonly recordIdentifier?: string;
  readonly eventTimeName?: string;
  readonly force?: boolean;
  readonly prepared?: PreparedRun;
}

export interface DatasetChoice {
  readonly population?: 'sheet' | 'union';
  readonly genes?: number | readonly string[];
}

export interface ImagingChoice {
  readonly radiomics?: string;
  readonly featureSet?: 'default' | 'seed';
  readonly roi?: string;
  readonly series?: string;
}

export interface GenomicsChoice {
  readonly transcripts?: string;
  readonly annotation?: string;
  readonly index?: string;
  readonly threads?: number;
}

export interface ImagingCohortInput extends CommonInput, ImagingChoice, DatasetChoice {
  readonly cohort: string;
  readonly concurrency?: number;
}

export interface GenomicsCohortInput extends CommonInput, GenomicsChoice, DatasetChoice {
  readonly cohort: string;
  readonly concurrency?: number;
}

export interface ClinicalInput extends CommonInput {
  readonly clinical: string;
  readonly clinicalSpec?: string | JsonObject;
}

export interface MultimodalInput extends CommonInput, ImagingChoice, GenomicsChoice, DatasetChoice {
  readonly cohort?: string;
  readonly clinical?: string;
  readonly clinicalSpec?: string | JsonObject;
  readonly concurrency?: number | { readonly imaging?: number; readonly genomics?: number };
}

/** What the prepare activity made of the request: counts and references, passed on to children. */
export interface PreparedRun {
  /** Run id of the cohort at the root: the key of this run's records. */
  readonly runId: string;
  readonly cases: number;
  readonly imaging: number;
  readonly genomics: number;
  /** The parsed radiomics parameter document, when one was given. */
  readonly settings?: JsonObject;
  /** The clinical specification: a built-in name or the parsed document. */
  readonly clinicalSpec?: string | JsonObject;
}

const UNIT: FieldRules = {
  output: needed('folder of the results, absolute'),
  runId: text('key of the records of outcomes; the run id of this workflow'),
  force: { kind: 'flag', about: 'run every step again, reuse nothing' },
};

export const IMAGING_STUDY_RULES: FieldRules = {
  unit: { kind: 'object', required: true, about: 'the study: {caseId, studyId?, source: {kind: "dicom", folder}}' },
  ...UNIT,
  choice: { kind: 'object', about: 'roi, series, featureSet' },
  settings: { kind: 'object', about: 'a parsed pyradiomics parameter document' },
};

export const GENOMICS_SAMPLE_RULES: FieldRules = {
  unit: { kind: 'object', required: true, about: 'the sample: {caseId, sampleId?, source: {kind: "fastq", lanes}}' },
  ...UNIT,
  annotation: text('GTF, GFF3 or a table of transcript and gene, absolute'),
  index: text('ready Salmon index, absolute'),
  referenceFailure: { kind: 'object', about: 'internal: why the reference could not be prepared' },
  threads: { kind: 'count', about: 'threads of the quantification' },
};

/** Input of the workflow of one study. */
export interface ImagingStudyInput {
  readonly unit: ImagingUnit;
  readonly output: string;
  readonly runId?: string;
  readonly force?: boolean;
  readonly choice?: Omit<ImagingChoice, 'radiomics'>;
  readonly settings?: JsonObject;
}

/** Input of the workflow of one sample. */
export interface GenomicsSampleInput {
  readonly unit: GenomicsUnit;
  readonly output: string;
  readonly runId?: string;
  readonly force?: boolean;
  readonly annotation?: string;
  /** Folder of the transcript index; absent for a sample that is quantified already. */
  readonly index?: string;
  /** Set when the reference could not be prepared: a sample that needs it fails with this. */
  readonly referenceFailure?: { readonly code: FailureCode; readonly message: string };
  readonly threads?: number;
}

const SOURCES: Readonly<Record<FanOutModality, Readonly<Record<string, readonly string[]>>>> = {
  imaging: { dicom: ['folder'], nifti: ['image', 'mask'] },
  genomics: { fastq: ['lanes'], sra: ['runs'], quant: ['path'] },
};

/**
 * Checks the unit of a study or a sample that someone starts by hand.
 *
 * @throws CohortflowError `InvalidInput` naming the field
 */
export function checkUnit(workflow: string, modality: FanOutModality, unit: unknown): void {
  const { caseId, source } = unit as { readonly caseId?: unknown; readonly source?: Readonly<Record<string, unknown>> };
  const refuse = (message: string): never => {
    throw new CohortflowError('InvalidInput', `${workflow}: ${message}`);
  };
  if (typeof caseId !== 'string' || !CASE_ID.test(caseId)) {
    refuse('unit.caseId must be 1 to 64 letters, digits, dots, hyphens and underscores');
  }
  const kinds = SOURCES[modality];
  const kind = typeof source === 'object' && source !== null ? String(source['kind']) : '';
  const fields = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (fields === undefined) refuse(`unit.source.kind must be one of ${Object.keys(kinds).join(', ')}`);
  for (const field of fields ?? []) {
    if (source?.[field] === undefined) refuse(`unit.source.${field} is missing`);
  }
}

export const DEFAULT_CONCURRENCY = 50;

function positive(value: unknown, name: string): number {
  if (value === undefined) return DEFAULT_CONCURRENCY;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > MOST_CONCURRENCY) {
    throw new CohortflowError('InvalidInput', `${name} must be a whole number from 1 to ${MOST_CONCURRENCY}`);
  }
  return value;
}

/** Units at once of both modalities. */
export function concurrencyOf(input: Pick<MultimodalInput, 'concurrency'>): { imaging: number; genomics: number } {
  const given = input.concurrency;
  if (given === undefined || typeof given === 'number') {
    const width = positive(given, 'concurrency');
    return { imaging: width, genomics: width };
  }
  if (typeof given !== 'object' || given === null)
    throw new CohortflowError(
      'InvalidInput',
      'concurrency must be a whole number from 1, or an object with imaging and genomics',
    );
  const unknown = Object.keys(given).filter((name) => name !== 'imaging' && name !== 'genomics');
  if (unknown.length > 0) {
    throw new CohortflowError('InvalidInput', `concurrency: unknown: ${unknown.join(', ')}; known: imaging, genomics`);
  }
  return {
    imaging: positive(given.imaging, 'concurrency.imaging'),
    genomics: positive(given.genomics, 'concurrency.genomics'),
  };
}
