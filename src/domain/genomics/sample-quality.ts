/**
 * How the quantification of a sample went, whoever did it: what a reviewer looks at. Stands in the sample's `quant.json`, in
 * a row of `genomics/quality.csv` and in the report. Null is what nobody said.
 */
export type SampleQuality = {
  /** Reads that came in, not pairs; fragments: a pair, or a read without a mate. */
  readonly reads: number | null;
  readonly fragments: number | null;
  /** Percent, 0 to 100: of the fragments (Salmon) or reads (DRAGEN) those that map; the rest of the reads. */
  readonly mappedPercent: number | null;
  readonly duplicatePercent: number | null;
  readonly properlyPairedPercent: number | null;
  readonly trimmedPercent: number | null;
  /** Fragments counted to transcripts; transcripts that any were counted to; genes in the table. */
  readonly quantifiedFragments: number | null;
  readonly quantifiedTranscripts: number | null;
  readonly genes: number | null;
  readonly libraryType: string | null;
  /** Salmon or DRAGEN, its version, and the profile of DRAGEN's commands. */
  readonly program: string | null;
  readonly version: string | null;
  readonly profile: string | null;
  /** File of the reference genome; DRAGEN's hash table, or the first digits of the digest of the sequences in Salmon's index. */
  readonly reference: string | null;
  readonly index: string | null;
  /** Machine of a service, whether it was a spot machine, and seconds of the work on it. */
  readonly instanceType: string | null;
  readonly spot: boolean | null;
  readonly seconds: number | null;
};

/** Columns of `genomics/quality.csv` after those that name the sample, in order. */
export const QUALITY_COLUMNS = {
  reads: 'reads',
  fragments: 'fragments',
  mappedPercent: 'mapped_percent',
  duplicatePercent: 'duplicate_percent',
  properlyPairedPercent: 'properly_paired_percent',
  trimmedPercent: 'trimmed_percent',
  quantifiedFragments: 'quantified_fragments',
  quantifiedTranscripts: 'quantified_transcripts',
  genes: 'genes',
  libraryType: 'library_type',
  program: 'program',
  version: 'version',
  profile: 'profile',
  reference: 'reference',
  index: 'index',
  instanceType: 'instance_type',
  spot: 'spot',
  seconds: 'machine_seconds',
} as const satisfies Readonly<Record<keyof SampleQuality, string>>;

const NAMES = Object.keys(QUALITY_COLUMNS) as readonly (keyof SampleQuality)[];

/** What is known of no sample. */
export const NO_QUALITY = Object.fromEntries(NAMES.map((name) => [name, null])) as SampleQuality;

const TEXTS: ReadonlySet<keyof SampleQuality> = new Set([
  ...(['libraryType', 'program', 'version', 'profile', 'reference', 'index', 'instanceType'] as const),
]);

/** Reads a parsed `quant.json`: what it does not have, as one of another release, is null. */
export function qualityOf(document: Readonly<Record<string, unknown>>): SampleQuality {
  const kindOf = (name: keyof SampleQuality): string =>
    TEXTS.has(name) ? 'string' : name === 'spot' ? 'boolean' : 'number';
  const entries = NAMES.map((name) => [name, typeof document[name] === kindOf(name) ? document[name] : null]);
  return Object.fromEntries(entries) as SampleQuality;
}
