/** Names of the columns that the cohort sheet knows; all others are carried. */
export const SHEET_COLUMNS = [
  'case_id',
  'study_id',
  'sample_id',
  'date',
  'imaging',
  'image',
  'mask',
  'label',
  'fastq_1',
  'fastq_2',
  'strandedness',
  'sra',
  'quant',
] as const;
export type SheetColumn = (typeof SHEET_COLUMNS)[number];

/** Ids of cases, studies and samples: they become folder names, workflow ids and record keys. */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const ID_MAX_LENGTH = 64;

export const STRANDEDNESS = ['auto', 'forward', 'reverse', 'unstranded'] as const;

/** What a column means and accepts: data for the documentation, for `validate` and for editors. */
export interface SheetColumnRule {
  readonly name: SheetColumn;
  readonly required: boolean;
  readonly kind: 'id' | 'path' | 'run' | 'choice' | 'count' | 'text';
  readonly about: string;
  readonly pattern?: string;
  readonly choices?: readonly string[];
  /** Endings a path may have, compared without regard to case. */
  readonly endings?: readonly string[];
  /** Other spellings that are refused with a pointer to this column, when this column is absent. */
  readonly mistakenFor: readonly string[];
}

const id = (name: SheetColumn, required: boolean, about: string, mistakenFor: readonly string[]): SheetColumnRule => ({
  ...{ name, required, kind: 'id', about, mistakenFor },
  pattern: ID_PATTERN.source,
});

const path = (
  name: SheetColumn,
  about: string,
  mistakenFor: readonly string[],
  endings?: readonly string[],
): SheetColumnRule => ({
  ...{ name, required: false, kind: 'path', about, mistakenFor },
  ...(endings === undefined ? {} : { endings }),
});

const FASTQ = ['.fastq', '.fq', '.fastq.gz', '.fq.gz'];
const NIFTI = ['.nii', '.nii.gz'];

/** The column table of the cohort sheet. */
export const SHEET_COLUMN_RULES: readonly SheetColumnRule[] = [
  id('case_id', true, 'one person, the same in every modality; a pseudonym, it appears in folder names and logs', [
    'case',
    'caseid',
    'patient',
    'patient_id',
    'patientid',
    'subject',
    'subject_id',
    'subjectid',
    'sample',
    'samples',
    'participant',
    'participant_id',
    'id',
    'pid',
  ]),
  id('study_id', false, 'tells several imaging studies of a case apart', ['studyid', 'study_uid']),
  id('sample_id', false, 'tells several sets of reads of a case apart', ['sampleid']),
  {
    ...{ name: 'date', required: false, kind: 'text', mistakenFor: [] },
    about: 'date of the scan or the sample; a column of the features, and tells studies apart where no study_id does',
  },
  path('imaging', 'a DICOM folder, an archive of one or an S3 prefix', ['dicom', 'dicoms', 'dicom_dir', 'dicom_path']),
  path('image', 'NIfTI volume; needs mask', ['images', 'img', 'nifti', 'image_path'], NIFTI),
  path('mask', 'NIfTI mask on the grid of image', ['masks', 'seg', 'segmentation', 'mask_path', 'roi_mask'], NIFTI),
  {
    ...{ name: 'label', required: false, kind: 'count', mistakenFor: ['labels', 'mask_label'] },
    about: 'the value inside mask that is the region of interest; without it every value above 0',
  },
  path(
    'fastq_1',
    'first mates, or single-end reads; each row of a sample is a lane',
    ['fastq', 'fastq1', 'fastq_r1', 'fastqr1', 'read1', 'read_1', 'reads_1', 'reads1', 'r1', 'fq1', 'fq_1', 'mate1'],
    FASTQ,
  ),
  path(
    'fastq_2',
    'second mates',
    ['fastq2', 'fastq_r2', 'fastqr2', 'read2', 'read_2', 'reads_2', 'reads2', 'r2', 'fq2', 'fq_2', 'mate2'],
    FASTQ,
  ),
  {
    ...{ name: 'strandedness', required: false, kind: 'choice', choices: STRANDEDNESS },
    about: 'how the library was stranded; auto where empty',
    mistakenFor: ['stranded', 'library_type', 'libtype', 'lib_type'],
  },
  {
    ...{ name: 'sra', required: false, kind: 'run', pattern: '^[SED]RR[0-9]{6,9}$' },
    about: 'reads as an SRA run accession (SRR…) or an SRA file',
    mistakenFor: ['srr', 'sra_run', 'sra_id', 'run_accession', 'sra_accession'],
  },
  path('quant', 'a quantification that exists already: quant.sf or quant.genes.sf of Salmon or DRAGEN', [
    'quant_sf',
    'quant.sf',
    'quants',
    'quantification',
  ]),
];

const RULE_BY_NAME = new Map(SHEET_COLUMN_RULES.map((rule) => [rule.name, rule]));

/** The rule of a known column. */
export function columnRule(name: SheetColumn): SheetColumnRule {
  const rule = RULE_BY_NAME.get(name);
  if (rule === undefined) throw new Error(`no rule for the sheet column ${name}`);
  return rule;
}
