import type { Strandedness } from '../../cohort/manifest.js';
import { CohortflowError } from '../../errors.js';

/** DRAGEN versions whose command lines are known. `seed`: the article's two commands, flag for flag. */
export const DRAGEN_PROFILES = ['seed', '4.3', '4.6'] as const;
export type DragenProfile = (typeof DRAGEN_PROFILES)[number];
/** The version whose commands are used when nobody says. */
export const DEFAULT_DRAGEN_PROFILE: DragenProfile = '4.3';

/** Names below the working folder of a machine that the commands are given: all of them relative. */
export const BOX_NAMES = {
  hashTable: 'hash-table',
  results: 'results',
  temporary: 'temporary',
  fastqList: 'fastq-list.csv',
  licence: 'licence.cfg',
} as const;

/** What the commands of a sample are made from. File names are relative to the working folder. */
export interface DragenSample {
  /** Prefix of the results, read group and sample name: letters, digits, dots, hyphens, underscores. */
  readonly name: string;
  /** Gene annotation (GTF). */
  readonly annotation: string;
  readonly paired: boolean;
  /** The reads of a single command line: all lanes in one file, or two. */
  readonly reads: readonly [first: string, second?: string];
  readonly strandedness: Strandedness;
  readonly keepAlignments: boolean;
  readonly licence: boolean;
}

/** How one version is called. */
interface Profile {
  /** Whether several lanes are given as a list; else they are joined before. */
  readonly lanesAsList: boolean;
  /** Options of `fastq-dump`. */
  readonly fastqDump: readonly string[];
  readonly takesLicence: boolean;
  /** Where its command line has the results go, relative. */
  readonly resultsFolder: string;
  readonly hashTable: (reference: string) => readonly string[];
  readonly quantify: (sample: DragenSample) => readonly string[];
}

const LIBRARY_TYPES: Readonly<Record<Strandedness, readonly [single: string, paired: string]>> = {
  auto: ['A', 'A'],
  forward: ['SF', 'ISF'],
  reverse: ['SR', 'ISR'],
  unstranded: ['U', 'IU'],
};

const libraryType = ({ strandedness, paired }: DragenSample): string => LIBRARY_TYPES[strandedness][paired ? 1 : 0];

/** The article's commands (F1, DRAGEN 3). Only what a sample has that the article's had not adds to them. */
const SEED: Profile = {
  lanesAsList: false,
  fastqDump: ['-I', '--split-files'],
  takesLicence: false,
  resultsFolder: '.',
  hashTable: (reference) => [
    ...['dragen', '--build-hash-table', 'true', '--ht-build-rna-hashtable', 'true', '--ht-reference', reference],
    ...['--output-directory', BOX_NAMES.hashTable],
  ],
  quantify: (sample) => {
    const [first, second] = sample.reads;
    return [
      ...['dragen', '--enable-rna=true', '--enable-duplicate-marking=true', '--enable-rna-quantification=true'],
      ...['--enable-bam-indexing=true', '--alt-aware=true', '--output-format=bam', '--enable-map-align-output=true'],
      ...['--enable-map-align=true', '--enable-sort=true', `--annotation-file=${sample.annotation}`],
      ...[`--ref-dir=${BOX_NAMES.hashTable}`, '--output-directory=.', `--output-file-prefix=${sample.name}`],
      // The name that the option had in DRAGEN 3; left out it looks for itself, as in the article.
      ...(sample.strandedness === 'auto' ? [] : [`--rna-quantification-library-type=${libraryType(sample)}`]),
      '--input-qname-suffix-delimiter=.',
      ...['-1', first, ...(second === undefined ? [] : ['-2', second]), '--RGID', sample.name, '--RGSM', sample.name],
    ];
  },
};

/** What the recipes of versions 4.3 to 4.6 for whole transcriptomes have in common. */
function recipe(sample: DragenSample): readonly string[] {
  const alignments = sample.keepAlignments
    ? ['--enable-map-align-output', 'true', '--output-format', 'bam', '--enable-bam-indexing', 'true']
    : ['--enable-map-align-output', 'false'];
  return [
    ...['dragen', '--ref-dir', BOX_NAMES.hashTable, '--output-directory', BOX_NAMES.results],
    ...['--intermediate-results-dir', BOX_NAMES.temporary, '--output-file-prefix', sample.name],
    ...['--fastq-list', BOX_NAMES.fastqList, '--fastq-list-sample-id', sample.name],
    ...['--enable-rna', 'true', '--annotation-file', sample.annotation, '--enable-map-align', 'true'],
    ...alignments,
    ...['--enable-sort', 'true', '--enable-duplicate-marking', 'true', '--enable-rna-quantification', 'true'],
    ...['--rna-library-type', libraryType(sample), '--rna-quantification-gc-bias', 'true'],
    ...(sample.licence ? ['--lic-credentials', BOX_NAMES.licence] : []),
  ];
}

const FOUR: Profile = {
  lanesAsList: true,
  // Without -I both mates have one name, so no option about suffixes is needed, which later versions do not list.
  fastqDump: ['--split-files'],
  takesLicence: true,
  resultsFolder: BOX_NAMES.results,
  hashTable: SEED.hashTable,
  quantify: recipe,
};

const PROFILES: Readonly<Record<DragenProfile, Profile>> = {
  seed: SEED,
  '4.3': FOUR,
  // From 4.4 a machine-readable summary comes by itself; the licence is not printed into the log.
  '4.6': { ...FOUR, quantify: (sample) => [...recipe(sample), ...(sample.licence ? ['--lic-no-print'] : [])] },
};

/**
 * The commands of a profile.
 *
 * @throws CohortflowError `InvalidInput` naming the profiles there are
 */
export function dragenProfile(name: string): Profile {
  const known = DRAGEN_PROFILES.find((profile) => profile === name);
  if (known === undefined) {
    throw new CohortflowError('InvalidInput', `DRAGEN profile ${name}: known are ${DRAGEN_PROFILES.join(', ')}`);
  }
  return PROFILES[known];
}

/** The command lines of one sample as they are run, for a plan: program and arguments, one list each. */
export function dragenCommands(
  profile: string,
  reference: string,
  sample: DragenSample,
): {
  readonly hashTable: readonly string[];
  readonly fastqDump: readonly string[];
  readonly quantify: readonly string[];
} {
  const { hashTable, fastqDump, quantify } = dragenProfile(profile);
  return { hashTable: hashTable(reference), fastqDump: ['fastq-dump', ...fastqDump], quantify: quantify(sample) };
}
