/**
 * The cohort after its sheet was checked and normalised: what the workflows page through. Every path is absolute or a URI.
 */

/** How a sample's library was stranded; `auto` lets Salmon find out. */
export type Strandedness = 'auto' | 'forward' | 'reverse' | 'unstranded';

/** One imaging study of a case. */
export interface ImagingUnit {
  readonly modality: 'imaging';
  readonly caseId: string;
  /** Present when the sheet tells several studies of a case apart; then folders and record keys carry it. */
  readonly studyId?: string;
  /** What workflow ids carry instead of the key when ids are pseudonymised: a keyed hash. */
  readonly alias?: string;
  /** Scan date as the sheet gives it; a column of the features, never part of an id or a log. */
  readonly date?: string;
  readonly source:
    | { readonly kind: 'dicom'; readonly folder: string }
    | { readonly kind: 'nifti'; readonly image: string; readonly mask: string; readonly label?: number };
}

/** One lane of reads; single-end when `fastq2` is absent. */
export interface Lane {
  readonly fastq1: string;
  readonly fastq2?: string;
}

/** One set of reads of a case. */
export interface GenomicsUnit {
  readonly modality: 'genomics';
  readonly caseId: string;
  readonly sampleId?: string;
  readonly alias?: string;
  readonly source:
    | { readonly kind: 'fastq'; readonly lanes: readonly Lane[]; readonly strandedness: Strandedness }
    | { readonly kind: 'sra'; readonly runs: readonly string[]; readonly strandedness: Strandedness }
    | { readonly kind: 'quant'; readonly path: string };
}

export type CohortUnit = ImagingUnit | GenomicsUnit;

/** One case of the sheet, in sheet order, with the sheet's other columns carried. */
export interface CohortCase {
  readonly caseId: string;
  readonly carried: Readonly<Record<string, string>>;
}

/** The whole normalised cohort. Units lie in the order of their cases. */
export interface CohortManifest {
  readonly cases: readonly CohortCase[];
  readonly imaging: readonly ImagingUnit[];
  readonly genomics: readonly GenomicsUnit[];
}

/** `case` or `case/study`: the key of a unit in folders, records and workflow ids. */
export function unitKey(unit: CohortUnit): string {
  const part = unit.modality === 'imaging' ? unit.studyId : unit.sampleId;
  return part === undefined ? unit.caseId : `${unit.caseId}/${part}`;
}
