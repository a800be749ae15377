import { describe, expect, it } from 'vitest';
import { plannedMachine } from '../../../../src/app/plan/machine-request.js';
import type { GenomicsUnit } from '../../../../src/domain/cohort/manifest.js';

const SETTINGS = {
  kmsKey: 'arn:aws:kms:eu-central-1:123456789012:key/k',
  dragen: {
    ami: 'ami-1',
    reference: 's3://ref/hg19.fa.gz',
    annotation: 's3://ref/gencode.gtf.gz',
    subnets: ['subnet-a'],
  },
};

const fastq = (caseId: string, ...mates: readonly string[]): GenomicsUnit => ({
  ...{ modality: 'genomics', caseId },
  source: {
    kind: 'fastq',
    lanes: [{ fastq1: mates[0] ?? '', ...(mates[1] === undefined ? {} : { fastq2: mates[1] }) }],
    strandedness: 'reverse',
  },
});

describe('what a plan says of DRAGEN machines', () => {
  it('is the article’s two commands, flag for flag, with the article’s machine', () => {
    const { hashTable, samples, launch } = plannedMachine([fastq('R01-1', 'a_1.fq.gz', 'a_2.fq.gz')], 'seed', {
      dragen: { ...SETTINGS.dragen, reference: 's3://ref/hg19.fa' },
    });
    expect(hashTable.join(' ')).toBe(
      'dragen --build-hash-table true --ht-build-rna-hashtable true --ht-reference hg19.fa --output-directory hash-table',
    );
    // The sample's strandedness is the one thing that the article's sample had not.
    expect(samples[0]?.quantify.paired?.filter((word) => !word.includes('library-type')).join(' ')).toBe(
      'dragen --enable-rna=true --enable-duplicate-marking=true --enable-rna-quantification=true --enable-bam-indexing=true ' +
        '--alt-aware=true --output-format=bam --enable-map-align-output=true --enable-map-align=true --enable-sort=true ' +
        '--annotation-file=gencode.gtf --ref-dir=hash-table --output-directory=. --output-file-prefix=R01-1 ' +
        '--input-qname-suffix-delimiter=. -1 R01-1_1.fastq.gz -2 R01-1_2.fastq.gz --RGID R01-1 --RGSM R01-1',
    );
    expect(launch.request).toMatchObject({
      InstanceType: 'f1.4xlarge',
      BlockDeviceMappings: [{ Ebs: { VolumeType: 'gp2', VolumeSize: 100, Encrypted: true } }],
    });
  });

  it('tells samples apart: pairs, single reads, archives, and those that need no machine', () => {
    const units: GenomicsUnit[] = [
      fastq('single', 'a.fq.gz'),
      {
        ...{ modality: 'genomics', caseId: 'archived' },
        source: { kind: 'sra', runs: ['SRR1', 'SRR2'], strandedness: 'auto' },
      },
      { modality: 'genomics', caseId: 'done', source: { kind: 'quant', path: 'quant.sf' } },
    ];
    const { profile, samples } = plannedMachine(units, undefined, SETTINGS);
    expect(profile).toBe('4.3');
    expect(samples.map(({ name }) => name)).toEqual(['single', 'archived']);
    expect(Object.keys(samples[0]!.quantify)).toEqual(['single']);
    expect(samples[0]!.quantify.single).toContain('SR');
    expect(samples[1]!.fastqDump).toEqual([
      ['fastq-dump', '--split-files', './L1'],
      ['fastq-dump', '--split-files', './L2'],
    ]);
    expect(Object.keys(samples[1]!.quantify)).toEqual(['paired', 'single']);
  });

  it('says how each sample comes to its machine, in the words of its script', () => {
    const archive = 's3://sra-pub-run-odp/sra/SRR123456/SRR123456';
    const units: GenomicsUnit[] = [
      fastq('pairs', 's3://open/a_1.fq.gz', 's3://open/a_2.fq'),
      {
        ...{ modality: 'genomics', caseId: 'archived' },
        source: { kind: 'sra', runs: ['SRR123456'], strandedness: 'auto' },
      },
      fastq('here', '/data/a.fq.gz'),
    ];
    const { samples } = plannedMachine(units, undefined, { ...SETTINGS, s3: { requesterPays: ['open'] } });
    const copy = ['aws', 's3', 'cp', '--only-show-errors'];
    const annotation = [...copy, 's3://ref/gencode.gtf.gz', 'gencode.gtf.gz'];
    expect(samples[0]?.staging).toEqual([
      annotation,
      [...copy, '--request-payer', 'requester', 's3://open/a_1.fq.gz', 'L1_1.fastq.gz'],
      [...copy, '--request-payer', 'requester', 's3://open/a_2.fq', 'L1_2.fastq'],
    ]);
    expect(samples[1]?.staging).toEqual([
      annotation,
      [...copy, '--no-sign-request', '--region', 'us-east-1', archive, 'L1'],
    ]);
    expect(samples[2]).not.toHaveProperty('staging');
  });

  it('lists every sample of a cohort that is only counted, and how archives would be unpacked', () => {
    const { samples, fastqDump } = plannedMachine(162, 'seed', {});
    expect(new Set(samples.map(({ name }) => name)).size).toBe(162);
    expect(samples[161]?.quantify.paired?.join(' ')).toContain('-1 CASE-162_1.fastq.gz -2 CASE-162_2.fastq.gz');
    expect(fastqDump).toEqual(['fastq-dump', '-I', '--split-files', './L1']);
  });

  it('hides the account, and says what an account must have before anything can be sent', () => {
    expect(JSON.stringify(plannedMachine(1, undefined, SETTINGS).launch)).not.toContain('123456789012');
    const bare = plannedMachine(1, 'seed', {});
    expect(bare.launch).toMatchObject({
      request: { ImageId: '…', InstanceType: 'f1.4xlarge' },
      missing: ['aws.dragen.ami or aws.dragen.amiParameter'],
    });
  });

  it('is refused for a version whose commands nobody knows', () => {
    expect(() => plannedMachine(1, '2.0', {})).toThrow('known are seed, 4.3, 4.6');
  });
});
