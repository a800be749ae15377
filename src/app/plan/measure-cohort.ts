import type { CohortManifest, GenomicsUnit, ImagingUnit } from '../../domain/cohort/manifest.js';
import type { SampleSize } from '../../domain/costs/index.js';
import { mapBounded } from '../../domain/map-bounded.js';

/** Bytes at or below a place (a file, a folder, an object, a prefix, an accession); undefined when that cannot be told. */
export type SizeOf = (place: string, signal: AbortSignal) => Promise<number | undefined>;

/** Sizes of what a cohort is computed from. */
export interface CohortSizes {
  readonly imaging: readonly number[];
  readonly genomics: readonly SampleSize[];
  /** Units whose size could not be told; they are planned with the median of the others. */
  readonly unknown: number;
}

/** Looks under way at once: most are a list of a prefix. */
const AT_ONCE = 16;

function placesOfStudy({ source }: ImagingUnit): readonly string[] {
  return source.kind === 'dicom' ? [source.folder] : [source.image, source.mask];
}

function placesOfSample({ source }: GenomicsUnit): readonly string[] {
  if (source.kind === 'fastq') {
    return source.lanes.flatMap(({ fastq1, fastq2 }) => (fastq2 === undefined ? [fastq1] : [fastq1, fastq2]));
  }
  return source.kind === 'sra' ? source.runs : [];
}

async function together(places: readonly string[], sizeOf: SizeOf, signal: AbortSignal): Promise<number | undefined> {
  let bytes = 0;
  for (const place of places) {
    const size = await sizeOf(place, signal);
    if (size === undefined) return undefined;
    bytes += size;
  }
  return bytes;
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

/** Unknown sizes replaced by the median of the known ones; those without any known are left out. */
function filled(sizes: readonly (number | undefined)[]): number[] {
  const known = sizes.filter((size) => size !== undefined);
  const usual = median(known);
  return usual === undefined ? [] : sizes.map((size) => size ?? usual);
}

/**
 * Sizes of the studies and samples of a cohort, a bounded number of looks at once. Samples that are quantified already cost
 * nothing and are left out.
 *
 * @throws whatever `sizeOf` throws
 */
export async function measureCohort(
  { imaging, genomics }: Pick<CohortManifest, 'imaging' | 'genomics'>,
  sizeOf: SizeOf,
  signal: AbortSignal,
): Promise<CohortSizes> {
  const samples = genomics.filter(({ source }) => source.kind !== 'quant');
  const studies = await mapBounded(imaging, AT_ONCE, (unit) => together(placesOfStudy(unit), sizeOf, signal));
  const reads = await mapBounded(samples, AT_ONCE, (unit) => together(placesOfSample(unit), sizeOf, signal));
  const sizes = filled(reads);
  return {
    imaging: filled(studies),
    genomics: sizes.map((bytes, n) => ({ bytes, fromSra: samples[n]?.source.kind === 'sra' })),
    unknown: [...studies, ...reads].filter((size) => size === undefined).length,
  };
}
