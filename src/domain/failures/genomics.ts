import type { FailureKind } from './failure.js';

/** Failures of the genomics part. */
export const GENOMICS_FAILURES = {
  DamagedReads: {
    retryable: false,
    fault: 'data',
    reason: 'A FASTQ file is cut off, not FASTQ, or its gzip stream is damaged.',
    remedy: 'Fetch the file again and compare its checksum with the source.',
  },
  EmptyReads: {
    retryable: false,
    fault: 'data',
    reason: 'A file of reads holds no read.',
    remedy: 'Check what wrote the file; leave the sample out if it was never sequenced.',
  },
  UnpairedReads: {
    retryable: false,
    fault: 'data',
    reason: 'The two files of a pair do not hold the same reads.',
    remedy: 'Check that both files are of one lane and whole; filter mates together, not each file alone.',
  },
  DamagedArchive: {
    retryable: false,
    fault: 'data',
    reason: 'An SRA archive could not be unpacked into reads.',
    remedy: 'Fetch the archive again; check it with vdb-validate.',
  },
  DamagedReference: {
    retryable: false,
    fault: 'input',
    reason: 'The transcript FASTA cannot be indexed.',
    remedy: 'Check that the file is a FASTA of transcripts (not of the genome) with one record per id.',
  },
  DamagedAnnotation: {
    retryable: false,
    fault: 'input',
    reason: 'The annotation names no transcript with its gene.',
    remedy: 'Give a GTF, a GFF3 or a table of transcript and gene.',
  },
  TranscriptsNotInAnnotation: {
    retryable: false,
    fault: 'input',
    reason: 'None of the quantified transcripts is in the annotation.',
    remedy: 'Use the FASTA and the annotation of one release.',
  },
  DamagedQuantification: {
    retryable: false,
    fault: 'data',
    reason: 'A table of quantified transcripts or genes cannot be read.',
    remedy: 'Give a quant.sf or quant.genes.sf as Salmon or DRAGEN writes it.',
  },
  NoReadsMapped: {
    retryable: false,
    fault: 'data',
    reason: 'No read, or too few, map to the transcripts.',
    remedy: 'Check that sample and transcripts are of one organism, and the length and quality of the reads.',
  },
  QuantificationFailed: {
    retryable: true,
    fault: 'environment',
    reason: 'Salmon ended with an error that is not about the reads.',
    remedy: 'Read the last lines of its log in the message.',
  },
} as const satisfies Record<string, FailureKind>;
