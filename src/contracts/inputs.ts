import type { GenomicsUnit, ImagingUnit } from '../domain/cohort/manifest.js';
import { CohortflowError } from '../domain/errors.js';
import type { FailureCode } from '../domain/failures/index.js';
import type { JsonObject } from '../steps/step.js';
import type { RetryRequest, RetryRound, SteeringChange } from './control.js';
import type { FanOutFields, WidthLimit } from './fan-out-choice.js';
import type { FieldRule, FieldRules } from './input-check.js';
import type { UnitCounts } from './outcome.js';
import { GENOMICS_EXECUTORS, IMAGING_EXECUTORS, type GenomicsExecutor, type ImagingExecutor } from './remote-work.js';
import type { FanOutModality } from './workflow-ids.js';

/**
 * Inputs of the workflows: one plain-JSON object each. Paths are absolute or URIs. Only what is marked `required` in the
 * rules must be given. `schemaVersion` is 1.
 */

const CASE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const text = (about: string): FieldRule => ({ kind: 'text', about });
const needed = (about: string): FieldRule => ({ kind: 'text', about, required: true });

/** Where the feature groups of a run go besides its output folder. */
export const FEATURE_STORES = ['local', 'sagemaker'] as const;

const COMMON: FieldRules = {
  schemaVersion: { kind: 'version', about: 'version of this input, 1' },
  output: needed('folder of the results, absolute'),
  recordIdentifier: text('name of the id column of the feature groups; Case_ID'),
  eventTimeName: text('name of the event time column; timestamp'),
  force: { kind: 'flag', about: 'run every step again, reuse nothing' },
  verifyInputs: { kind: 'flag', about: 'read every input again instead of trusting size and times' },
  featureStore: {
    kind: 'text',
    choices: [...FEATURE_STORES],
    about: 'where feature groups go besides the output folder; local: nowhere',
  },
  pseudonymise: { kind: 'flag', about: 'workflow ids carry keyed hashes instead of case ids' },
  takeOver: { kind: 'flag', about: 'take the output from a run on another server, which is gone for good' },
  prepared: { kind: 'object', about: 'internal: what the parent cohort prepared' },
};

const IMAGING: FieldRules = {
  radiomics: text('pyradiomics parameter file (YAML), absolute'),
  featureSet: { kind: 'text', choices: ['default', 'seed'], about: 'which features' },
  roi: text('name or pattern of the segments to measure'),
  series: text('segmentation or CT series to take where several fit'),
  imagingExecutor: { kind: 'text', choices: [...IMAGING_EXECUTORS], about: 'where studies are computed; local' },
};

const GENOMICS: FieldRules = {
  transcripts: text('transcript FASTA, absolute'),
  annotation: text('GTF, GFF3 or a table of transcript and gene, absolute'),
  index: text('ready Salmon index, absolute'),
  threads: { kind: 'count', about: 'threads of one quantification' },
  genomicsExecutor: { kind: 'text', choices: [...GENOMICS_EXECUTORS], about: 'where reads are quantified; local' },
  dragenProfile: text('commands of which DRAGEN version; that of the settings'),
};

const DATASET: FieldRules = {
  population: { kind: 'text', choices: ['sheet', 'union'], about: 'whose rows the data set has' },
  genes: { kind: 'countOrTexts', about: 'how many genes, or a list of gene ids, go into the data set' },
};

const cohort = needed('cohort sheet (CSV), absolute');
const FAN_OUT: FieldRules = {
  concurrency: { kind: 'countOrObject', about: 'units at once; 50' },
  startRate: { kind: 'countOrObject', about: 'units started in a minute at most; no limit' },
  pool: { kind: 'object', about: 'slots shared with other cohorts: {name, size}' },
  pauseAfter: { kind: 'count', about: 'pause after so many failures in a row with one code of the environment; 5' },
  retryOf: { kind: 'object', about: 'only what failed in the last run into this output: {runId?, code?, step?}' },
  retryRound: { kind: 'object', about: 'internal: units to run again' },
  steering: { kind: 'object', about: 'internal: what the cohort was told before it started' },
};

export const IMAGING_COHORT_RULES: FieldRules = { cohort, ...FAN_OUT, ...COMMON, ...IMAGING, ...DATASET };
export const GENOMICS_COHORT_RULES: FieldRules = { cohort, ...FAN_OUT, ...COMMON, ...GENOMICS, ...DATASET };
export const CLINICAL_RULES: FieldRules = {
  clinical: needed('clinical table (CSV), absolute'),
  clinicalSpec: { kind: 'textOrObject', about: 'name of a specification, path of one, or the document itself' },
  ...COMMON,
};
export const MULTIMODAL_RULES: FieldRules = {
  cohort: text('cohort sheet (CSV), absolute'),
  clinical: text('clinical table (CSV), absolute'),
  clinicalSpec: CLINICAL_RULES['clinicalSpec'] as FieldRule,
  ...FAN_OUT,
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
  readonly verifyInputs?: boolean;
  readonly featureStore?: (typeof FEATURE_STORES)[number];
  readonly pseudonymise?: boolean;
  readonly takeOver?: boolean;
  readonly prepared?: PreparedRun;
}

/** Which failed units of an earlier run a new one takes up; its other outcomes are carried over. */
export interface RetryOf extends RetryRequest {
  /** The run whose failures these are; the last one into the output folder when absent. */
  readonly runId?: string;
}

/** The fields that say how units are run, and which. */
export interface FanOutInput extends FanOutFields {
  readonly retryOf?: RetryOf;
  readonly retryRound?: RetryRound;
  readonly steering?: SteeringChange;
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
  readonly imagingExecutor?: ImagingExecutor;
}

export interface GenomicsChoice {
  readonly transcripts?: string;
  readonly annotation?: string;
  readonly index?: string;
  readonly threads?: number;
  readonly genomicsExecutor?: GenomicsExecutor;
  readonly dragenProfile?: string;
}

/** What DRAGEN is to compute, beside the reads: all of it decides the result. */
export type DragenChoice = {
  /** Commands of which version. */
  readonly profile: string;
  /** Reference genome (FASTA) and annotation (GTF): s3://. */
  readonly reference: string;
  readonly annotation: string;
};

export interface ImagingCohortInput extends CommonInput, FanOutInput, ImagingChoice, DatasetChoice {
  readonly cohort: string;
}

export interface GenomicsCohortInput extends CommonInput, FanOutInput, GenomicsChoice, DatasetChoice {
  readonly cohort: string;
}

export interface ClinicalInput extends CommonInput {
  readonly clinical: string;
  readonly clinicalSpec?: string | JsonObject;
}

export interface MultimodalInput extends CommonInput, FanOutInput, ImagingChoice, GenomicsChoice, DatasetChoice {
  readonly cohort?: string;
  readonly clinical?: string;
  readonly clinicalSpec?: string | JsonObject;
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
  /** What DRAGEN is to compute, where it is the executor of reads. */
  readonly dragen?: DragenChoice;
  /** Most units at once that the executor of a modality can hold. */
  readonly limits?: Readonly<Partial<Record<FanOutModality, number>>>;
  /** What says so; without a limit, why there is none to go by. */
  readonly limitedBy?: Readonly<Partial<Record<FanOutModality, string>>>;
  /** True when the search attributes of the product are registered on this server. */
  readonly searchAttributes?: boolean;
  /** The failed units that a retry of an earlier run takes up, and what that run's other units count as. */
  readonly retry?: Readonly<Partial<Record<FanOutModality, RetryRound & { readonly carried: UnitCounts }>>>;
}

/** What the executor of a modality can hold; undefined where nothing is known to limit it. */
export function widthLimit({ limits, limitedBy }: PreparedRun, modality: FanOutModality): WidthLimit | undefined {
  const most = limits?.[modality];
  const why = limitedBy?.[modality];
  if (most === undefined && why === undefined) return undefined;
  return { ...(most === undefined ? {} : { most }), ...(why === undefined ? {} : { why }) };
}

const UNIT: FieldRules = {
  output: needed('folder of the results, absolute'),
  runId: text('key of the records of outcomes; the run id of this workflow'),
  force: { kind: 'flag', about: 'run every step again, reuse nothing' },
  verifyInputs: { kind: 'flag', about: 'read every input again instead of trusting size and times' },
  round: { kind: 'number', about: 'internal: which retry of the run this is, and which pass of it' },
  searchAttributes: { kind: 'flag', about: 'internal: the search attributes are registered' },
};

export const IMAGING_STUDY_RULES: FieldRules = {
  unit: { kind: 'object', required: true, about: 'the study: {caseId, studyId?, source: {kind: "dicom", folder}}' },
  ...UNIT,
  choice: { kind: 'object', about: 'roi, series, featureSet' },
  executor: { kind: 'text', choices: [...IMAGING_EXECUTORS], about: 'where it is computed; local' },
  settings: { kind: 'object', about: 'a parsed pyradiomics parameter document' },
};

export const GENOMICS_SAMPLE_RULES: FieldRules = {
  unit: { kind: 'object', required: true, about: 'the sample: {caseId, sampleId?, source: {kind: "fastq", lanes}}' },
  ...UNIT,
  annotation: text('GTF, GFF3 or a table of transcript and gene, absolute'),
  index: text('ready Salmon index, absolute'),
  referenceFailure: { kind: 'object', about: 'internal: why the reference could not be prepared' },
  threads: { kind: 'count', about: 'threads of the quantification' },
  executor: { kind: 'text', choices: [...GENOMICS_EXECUTORS], about: 'where reads are quantified; local' },
  dragen: { kind: 'object', about: 'what DRAGEN is to compute: {profile, reference, annotation}' },
};

/** What the inputs of a study and of a sample have in common. */
export interface UnitInput {
  readonly output: string;
  readonly runId?: string;
  readonly force?: boolean;
  readonly verifyInputs?: boolean;
  readonly round?: number;
  readonly searchAttributes?: boolean;
}

/** Input of the workflow of one study. */
export interface ImagingStudyInput extends UnitInput {
  readonly unit: ImagingUnit;
  readonly choice?: Omit<ImagingChoice, 'radiomics' | 'imagingExecutor'>;
  readonly executor?: ImagingExecutor;
  readonly settings?: JsonObject;
}

/** Input of the workflow of one sample. */
export interface GenomicsSampleInput extends UnitInput {
  readonly unit: GenomicsUnit;
  readonly annotation?: string;
  /** Folder of the transcript index; absent for a sample that is quantified already. */
  readonly index?: string;
  /** Set when the reference could not be prepared: a sample that needs it fails with this. */
  readonly referenceFailure?: { readonly code: FailureCode; readonly message: string };
  readonly threads?: number;
  readonly executor?: GenomicsExecutor;
  /** Needed where DRAGEN quantifies the reads. */
  readonly dragen?: DragenChoice;
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
