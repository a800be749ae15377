import type { CohortManifest, CohortUnit, GenomicsUnit, ImagingUnit } from './manifest.js';

/** Units of one modality, page by page: what an activity hands to a workflow stays below the payload limit. */
export function pages(
  manifest: CohortManifest,
  modality: 'imaging',
  pageSize: number,
): Generator<readonly ImagingUnit[]>;
export function pages(
  manifest: CohortManifest,
  modality: 'genomics',
  pageSize: number,
): Generator<readonly GenomicsUnit[]>;
export function pages(
  manifest: CohortManifest,
  modality: 'imaging' | 'genomics',
  pageSize: number,
): Generator<readonly CohortUnit[]>;
export function* pages(
  manifest: CohortManifest,
  modality: 'imaging' | 'genomics',
  pageSize: number,
): Generator<readonly CohortUnit[]> {
  if (!Number.isInteger(pageSize) || pageSize < 1) throw new RangeError('a page holds at least one unit');
  const units: readonly CohortUnit[] = manifest[modality];
  for (let start = 0; start < units.length; start += pageSize) yield units.slice(start, start + pageSize);
}
