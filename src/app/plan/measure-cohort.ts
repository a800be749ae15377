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
  /** What they are planned with instead where no size of their kind could be told, in bytes. */
  readonly assumed?: { readonly imaging?: number; readonly genomics?: number };
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

/** Unknown sizes replaced by the median of the known ones, or by what is assumed where none is known. */
function filled(sizes: readonly (number | undefined)[], assumed: number): { sizes: number[]; guessed: boolean } {
  const known = median(sizes.filter((size) => size !== undefined));
  return { sizes: sizes.map((size) => size ?? known ?? assumed), guessed: sizes.length > 0 && known === undefined };
}

/**
 * Sizes of the studies and samples of a cohort, a bounded number of looks at once. Samples that are quantified already cost
 * nothing and are left out.
 *
 * @param usual median size of a study and of a sample, in bytes, for a cohort none of whose sizes can be told
 * @throws whatever `sizeOf` throws
 */
export async function measureCohort(
  { imaging, genomics }: Pick<CohortManifest, 'imaging' | 'genomics'>,
  sizeOf: SizeOf,
  usual: Readonly<Record<'imaging' | 'genomics', number>>,
  signal: AbortSignal,
): Promise<CohortSizes> {
  const samples = genomics.filter(({ source }) => source.kind !== 'quant');
  const studies = await mapBounded(imaging, AT_ONCE, (unit) => together(placesOfStudy(unit), sizeOf, signal));
  const reads = await mapBounded(samples, AT_ONCE, (unit) => together(placesOfSample(unit), sizeOf, signal));
  const [ofStudies, ofReads] = [filled(studies, usual.imaging), filled(reads, usual.genomics)];
  const assumed = {
    ...(ofStudies.guessed ? { imaging: usual.imaging } : {}),
    ...(ofReads.guessed ? { genomics: usual.genomics } : {}),
  };
  return {
    imaging: ofStudies.sizes,
    genomics: ofReads.sizes.map((bytes, n) => ({ bytes, fromSra: samples[n]?.source.kind === 'sra' })),
    unknown: [...studies, ...reads].filter((size) => size === undefined).length,
    ...(Object.keys(assumed).length === 0 ? {} : { assumed }),
  };
}
