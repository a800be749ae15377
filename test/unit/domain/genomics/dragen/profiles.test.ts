import { describe, expect, it } from 'vitest';
import {
  BOX_NAMES,
  DRAGEN_PROFILES,
  dragenCommands,
  dragenProfile,
  type DragenSample,
} from '../../../../../src/domain/genomics/dragen/index.js';

const SAMPLE: DragenSample = {
  name: 'R01-001',
  annotation: 'genes.gtf',
  paired: true,
  reads: ['R01-001_1.fastq.gz', 'R01-001_2.fastq.gz'],
  strandedness: 'auto',
  keepAlignments: false,
  licence: false,
};

const quantify = (profile: string, sample: Partial<DragenSample> = {}): readonly string[] =>
  dragenCommands(profile, 'hg38.fa', { ...SAMPLE, ...sample }).quantify;

/** What an option is given, in either spelling; undefined where it is not there. */
function given(argv: readonly string[], option: string): string | undefined {
  const at = argv.indexOf(option);
  if (at >= 0) return argv[at + 1];
  return argv.find((word) => word.startsWith(`${option}=`))?.slice(option.length + 1);
}

describe('the seed profile', () => {
  it('makes the hash table by the article’s command', () => {
    const command =
      'dragen --build-hash-table true --ht-build-rna-hashtable true --ht-reference hg19.fa --output-directory hash-table';
    expect(dragenCommands('seed', 'hg19.fa', SAMPLE).hashTable).toEqual(command.split(' '));
  });

  it('quantifies by the article’s command, flag for flag', () => {
    const command =
      'dragen --enable-rna=true --enable-duplicate-marking=true --enable-rna-quantification=true ' +
      '--enable-bam-indexing=true --alt-aware=true --output-format=bam --enable-map-align-output=true ' +
      '--enable-map-align=true --enable-sort=true --annotation-file=genes.gtf --ref-dir=hash-table ' +
      '--output-directory=. --output-file-prefix=R01-001 --input-qname-suffix-delimiter=. ' +
      '-1 R01-001_1.fastq.gz -2 R01-001_2.fastq.gz --RGID R01-001 --RGSM R01-001';
    expect(quantify('seed')).toEqual(command.split(' '));
  });

  it('unpacks archives so that the names of mates have the suffix that its command takes off', () => {
    expect(dragenCommands('seed', 'hg19.fa', SAMPLE).fastqDump).toEqual(['fastq-dump', '-I', '--split-files']);
  });

  it('adds one option for a library that is known, and leaves out the second mate where there is none', () => {
    const usual = quantify('seed');
    expect(quantify('seed', { strandedness: 'reverse' }).filter((word) => !usual.includes(word))).toEqual([
      '--rna-quantification-library-type=ISR',
    ]);
    const single = quantify('seed', { paired: false, reads: ['R01-001_1.fastq.gz'] });
    expect(single).toEqual(usual.filter((word) => word !== '-2' && word !== 'R01-001_2.fastq.gz'));
  });
});

describe('the profiles of versions 4.3 to 4.6', () => {
  it('follow the recipe for whole transcriptomes, without alignments that nobody wants', () => {
    const command =
      'dragen --ref-dir hash-table --output-directory results --intermediate-results-dir temporary ' +
      '--output-file-prefix R01-001 --fastq-list fastq-list.csv --fastq-list-sample-id R01-001 --enable-rna true ' +
      '--annotation-file genes.gtf --enable-map-align true --enable-map-align-output false --enable-sort true ' +
      '--enable-duplicate-marking true --enable-rna-quantification true --rna-library-type A ' +
      '--rna-quantification-gc-bias true';
    expect(quantify('4.3')).toEqual(command.split(' '));
    expect(quantify('4.6')).toEqual(command.split(' '));
  });

  it('keep alignments, sorted and indexed, where they are wanted', () => {
    const kept = quantify('4.3', { keepAlignments: true });
    expect(given(kept, '--enable-map-align-output')).toBe('true');
    expect(given(kept, '--output-format')).toBe('bam');
    expect(given(kept, '--enable-bam-indexing')).toBe('true');
  });

  it('name the licence by its file, and keep it out of the log from 4.4', () => {
    const [older, newer] = ['4.3', '4.6'].map((profile) => quantify(profile, { licence: true }));
    expect(given(older!, '--lic-credentials')).toBe('licence.cfg');
    expect(newer).toEqual([...older!, '--lic-no-print']);
  });

  it('know none of the options that only DRAGEN 3 had', () => {
    for (const profile of ['4.3', '4.6']) {
      const words = quantify(profile, { strandedness: 'forward' }).join(' ');
      expect(words).not.toMatch(/alt-aware|qname-suffix|rna-quantification-library-type|--RG/);
    }
  });
});

describe.each(DRAGEN_PROFILES)('profile %s', (profile) => {
  it.each([
    ['auto', 'A', 'A'],
    ['forward', 'ISF', 'SF'],
    ['reverse', 'ISR', 'SR'],
    ['unstranded', 'IU', 'U'],
  ] as const)('calls a library that is %s by the type of its reads', (strandedness, paired, single) => {
    const option = profile === 'seed' ? '--rna-quantification-library-type' : '--rna-library-type';
    // The article's command leaves it to DRAGEN where nothing is known.
    const wanted = (type: string): string | undefined =>
      profile === 'seed' && strandedness === 'auto' ? undefined : type;
    expect(given(quantify(profile, { strandedness }), option)).toBe(wanted(paired));
    expect(given(quantify(profile, { strandedness, paired: false }), option)).toBe(wanted(single));
  });

  it('gives every option once', () => {
    const argv = quantify(profile, { strandedness: 'reverse', keepAlignments: true, licence: true });
    const options = argv.filter((word) => word.startsWith('-')).map((word) => word.split('=')[0]);
    expect(options).toEqual([...new Set(options)]);
  });

  it('writes below its working folder only, where the script looks for it', () => {
    const { resultsFolder, hashTable } = dragenProfile(profile);
    const argv = quantify(profile, { keepAlignments: true, licence: true });
    expect(argv.filter((word) => /(^|=)\//.test(word))).toEqual([]);
    expect(given(argv, '--output-directory')).toBe(resultsFolder);
    expect(given(argv, '--ref-dir')).toBe(BOX_NAMES.hashTable);
    expect(given(hashTable('hg38.fa'), '--output-directory')).toBe(BOX_NAMES.hashTable);
  });
});

describe('dragenProfile', () => {
  it('names the profiles there are where it knows none of a name', () => {
    for (const name of ['4.4', '', 'toString', 'SEED']) {
      expect(() => dragenProfile(name)).toThrow(
        expect.objectContaining({ code: 'InvalidInput', message: expect.stringContaining('seed, 4.3, 4.6') as string }),
      );
    }
  });
});
