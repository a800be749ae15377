import type { GenomicsUnit, ImagingUnit } from '../domain/cohort/manifest.js';

/** `count` case ids, or the ids themselves. */
export type Cases = number | readonly string[];

const idsOf = (cases: Cases): readonly string[] =>
  typeof cases === 'number' ? Array.from({ length: cases }, (_, index) => `S-${index}`) : cases;

/** One imaging study for each case, `S-0`, `S-1`, … when only their number is given. Nothing is at their paths. */
export function imagingUnits(cases: Cases): ImagingUnit[] {
  return idsOf(cases).map((caseId, index) => ({
    modality: 'imaging',
    caseId,
    source: { kind: 'dicom', folder: `/studies/${index}` },
  }));
}

/** One sample of reads for each case, `S-0`, `S-1`, … when only their number is given. Nothing is at their paths. */
export function genomicsUnits(cases: Cases): GenomicsUnit[] {
  return idsOf(cases).map((caseId, index) => ({
    modality: 'genomics',
    caseId,
    source: { kind: 'quant', path: `/samples/${index}/quant.sf` },
  }));
}
