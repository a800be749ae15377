/** A number that an estimate rests on, and where it is from. */
export interface Assumption {
  readonly value: number;
  readonly unit: string;
  readonly about: string;
  /** True when it was measured with this product; otherwise it is what others report, or a guess that says so. */
  readonly measured: boolean;
  readonly source: string;
}

const guessed = (value: number, unit: string, about: string, source: string): Assumption => ({
  ...{ value, unit, about, source },
  measured: false,
});

const PHANTOMS =
  'CT phantoms of 512 × 512 × 80 and 257, tumour of 73,000 voxels, all steps, 107 features; docs/costs.md';
const OWN_GUESS = 'a guess; see docs/costs.md';

/** Everything that a plan assumes besides sizes and prices. Times are those of one core, or of the machine named. */
export const ASSUMPTIONS = {
  imagingFixed: {
    ...{ value: 2, unit: 's', about: 'core seconds of a study, whatever its size', measured: true, source: PHANTOMS },
  },
  imagingPerMb: {
    ...{ value: 0.17, unit: 's/MB', about: 'core seconds of a study for each MB of it', measured: true },
    source: PHANTOMS,
  },
  imagingResults: {
    ...{ value: 0.52, unit: 'MB/MB', about: 'results of a study for each MB of it', measured: true, source: PHANTOMS },
  },
  imagingObjectMb: guessed(
    0.33,
    'MB',
    'size of one object of a study',
    'NSCLC Radiogenomics: median of 1,078 objects and 352 MB a subject',
  ),
  salmonFixed: guessed(60, 's', 'loading the index for one sample', OWN_GUESS),
  salmonPerMb: guessed(
    0.48,
    's/MB',
    'core seconds of Salmon for each MB of compressed reads',
    'about 8 minutes on 8 threads for a human sample of about 8 GB, as others report',
  ),
  transfer: guessed(90, 'MB/s', 'between S3 and one machine', 'base rate of a small instance, 0.75 Gb/s'),
  jobStart: guessed(
    4,
    'min',
    'start of a processing job until its container runs; all of it is counted as billed',
    'users report 2 to 8; with the 5 minutes a subject of the article, 4 are left for the start',
  ),
  taskStart: guessed(1.5, 'min', 'start of a worker on Fargate', OWN_GUESS),
  boxStart: guessed(5, 'min', 'start of a DRAGEN machine until its agent answers', OWN_GUESS),
  hashTable: guessed(5, 'min', 'bringing and loading the hash table, once a machine', OWN_GUESS),
  hashTableGb: guessed(45, 'GB', 'size of the hash table of a human genome', OWN_GUESS),
  dragenDisk: guessed(6, 'GB/GB', 'disk of a DRAGEN machine for each GB of compressed reads', OWN_GUESS),
  dragenFixed: guessed(2, 'min', 'DRAGEN for one sample, whatever its size', OWN_GUESS),
  dragenPerMb: guessed(
    0.06,
    's/MB',
    'DRAGEN RNA for each MB of compressed reads',
    'a guess: no public minutes for RNA were found',
  ),
  fastqDumpPerMb: guessed(0.15, 's/MB', 'fastq-dump --split-files for each MB of an SRA archive', OWN_GUESS),
  boxTransfer: guessed(400, 'MB/s', 'between S3 and a DRAGEN machine', 'f2.6xlarge: up to 12.5 Gb/s'),
} as const satisfies Record<string, Assumption>;

export type AssumptionName = keyof typeof ASSUMPTIONS;

export const MB = 1e6;
export const GB = 1e9;

/** Seconds of one study on one core, files already on the machine. */
export function imagingSeconds(bytes: number): number {
  return ASSUMPTIONS.imagingFixed.value + (ASSUMPTIONS.imagingPerMb.value * bytes) / MB;
}

/** Seconds that a study's files take to and its results from a machine. */
export function imagingTransferSeconds(bytes: number): number {
  return (bytes / MB / ASSUMPTIONS.transfer.value) * (1 + ASSUMPTIONS.imagingResults.value);
}

/** Seconds of one sample with Salmon on some cores, reads already on the machine. */
export function salmonSeconds(bytes: number, threads: number): number {
  return ASSUMPTIONS.salmonFixed.value + (ASSUMPTIONS.salmonPerMb.value * bytes) / MB / threads;
}

/** Seconds of one sample on a DRAGEN machine that is ready, staging of the reads included. */
export function dragenSeconds(bytes: number, fromSra: boolean): number {
  const mb = bytes / MB;
  const { dragenFixed, dragenPerMb, boxTransfer, fastqDumpPerMb } = ASSUMPTIONS;
  const unpack = fromSra ? mb * fastqDumpPerMb.value : 0;
  return dragenFixed.value * 60 + mb * dragenPerMb.value + mb / boxTransfer.value + unpack;
}

/** Bytes of a FASTA of the human genome, which the size of its hash table is known for. */
const HUMAN_FASTA = 3.1 * GB;

/** Bytes that a DRAGEN machine must have room for: reads as they come and unpacked, hash table, and what is made of them. */
export function dragenBytes({ reads, reference }: { readonly reads: number; readonly reference: number }): number {
  const { dragenDisk, hashTableGb } = ASSUMPTIONS;
  return reads * dragenDisk.value + (reference * hashTableGb.value * GB) / HUMAN_FASTA;
}
