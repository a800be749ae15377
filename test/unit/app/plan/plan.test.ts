import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it, vi } from 'vitest';
import { LocalFiles } from '../../../../src/adapters/local/files.js';
import { PACKAGE_ROOT } from '../../../../src/app/package-root.js';
import { makePlan, type Plan } from '../../../../src/app/plan/make-plan.js';
import type { PlannedMachine } from '../../../../src/app/plan/machine-request.js';
import { plannedJob } from '../../../../src/app/plan/job-request.js';
import { measureCohort } from '../../../../src/app/plan/measure-cohort.js';
import { sizeOfPlaces } from '../../../../src/app/plan/size-of.js';
import { readSizes } from '../../../../src/app/plan/sizes-file.js';
import { planCommand } from '../../../../src/cli/commands/plan.js';
import { planLines } from '../../../../src/cli/plan-lines.js';
import { PRICE_TABLE } from '../../../../src/domain/costs/price-table.js';
import type { CohortManifest } from '../../../../src/domain/cohort/manifest.js';
import { failureOf } from '../../../support/dicom/run-convert.js';
import { realStudySizes } from '../../../support/real-study-sizes.js';
import { temporaryFolder } from '../../../support/run-step.js';

const signal = new AbortController().signal;
const choice = {
  concurrency: { imaging: 50, genomics: 50 },
  jobs: 2,
  region: 'us-east-1',
  settings: {},
} as const;

const usual = { imaging: 352e6, genomics: 8e9 };

describe('measuring a cohort', () => {
  const manifest: Pick<CohortManifest, 'imaging' | 'genomics'> = {
    imaging: [
      { modality: 'imaging', caseId: 'A', source: { kind: 'dicom', folder: '/a' } },
      { modality: 'imaging', caseId: 'B', source: { kind: 'nifti', image: '/b', mask: '/m' } },
      { modality: 'imaging', caseId: 'C', source: { kind: 'dicom', folder: '/unknown' } },
    ],
    genomics: [
      { modality: 'genomics', caseId: 'A', source: { kind: 'quant', path: '/q' } },
      { modality: 'genomics', caseId: 'B', source: { kind: 'sra', runs: ['/r', '/s'], strandedness: 'auto' } },
      {
        ...{ modality: 'genomics', caseId: 'C' },
        source: { kind: 'fastq', lanes: [{ fastq1: '/1', fastq2: '/2' }, { fastq1: '/3' }], strandedness: 'auto' },
      },
    ],
  };
  const known: Readonly<Record<string, number>> = {
    '/a': 10,
    '/b': 20,
    '/m': 1,
    '/r': 5,
    '/s': 6,
    '/1': 1,
    '/2': 2,
    '/3': 4,
  };

  it('adds up what a unit names, leaves out what is quantified, and takes the median for what it cannot tell', async () => {
    const sizes = await measureCohort(manifest, async (place) => known[place], usual, signal);
    expect(sizes).toEqual({
      imaging: [10, 21, 10],
      genomics: [
        { bytes: 11, fromSra: true },
        { bytes: 7, fromSra: false },
      ],
      unknown: 1,
    });
  });

  it('takes the usual size where it knows none of a kind, and says so', async () => {
    const sizes = await measureCohort(manifest, async () => undefined, usual, signal);
    expect(sizes).toEqual({
      imaging: [352e6, 352e6, 352e6],
      genomics: [
        { bytes: 8e9, fromSra: true },
        { bytes: 8e9, fromSra: false },
      ],
      unknown: 5,
      assumed: { imaging: 352e6, genomics: 8e9 },
    });
    const plan = makePlan(sizes, choice);
    expect(plan.estimates).toHaveLength(6);
    expect(plan.sizes.assumed).toEqual(sizes.assumed);
    expect(planLines(plan)).toContain(
      '5 units of unknown size are planned with the median of the others; where none is known, with 352 MB a study and 8000 MB a sample',
    );
  });

  it('counts a folder with everything below it, and knows a file that is not there', async () => {
    const folder = temporaryFolder('sizes');
    mkdirSync(join(folder, 'study', 'series'), { recursive: true });
    writeFileSync(join(folder, 'study', 'series', 'a.dcm'), 'x'.repeat(100));
    writeFileSync(join(folder, 'study', 'b.dcm'), 'x'.repeat(11));
    const sizeOf = sizeOfPlaces(new LocalFiles());
    expect(await sizeOf(join(folder, 'study'), signal)).toBe(111);
    expect(await sizeOf(join(folder, 'study', 'b.dcm'), signal)).toBe(11);
    expect(await sizeOf(join(folder, 'nothing'), signal)).toBeUndefined();
  });
});

describe('a table of sizes', () => {
  it('is read with its modalities; imaging where it names none', () => {
    expect(readSizes('case,bytes\nA,100\n\nB,200\n', 't')).toEqual({ imaging: [100, 200], genomics: [], unknown: 0 });
    expect(readSizes('bytes;modality;case\n5;genomics;A\n6;imaging;A\n', 't')).toEqual({
      imaging: [6],
      genomics: [{ bytes: 5, fromSra: false }],
      unknown: 0,
    });
  });

  it('is refused with the rows that hold no size', async () => {
    const bad = (text: string) => failureOf(Promise.resolve().then(() => readSizes(text, 'table')));
    expect(await bad('case,bytes\nA,1\nB,\nC,many\n')).toMatchObject({
      code: 'InvalidInput',
      message: 'table: no number of bytes, or no modality, in row 3, 4',
    });
    expect(await bad('case,size\nA,1\n')).toMatchObject({ code: 'InvalidInput' });
    expect(await bad('')).toMatchObject({ code: 'InvalidInput' });
  });
});

describe('a plan', () => {
  it('of the published cohort has each executor of imaging, the original beside it, and says what is not verified', () => {
    const plan = makePlan({ imaging: realStudySizes(), genomics: [], unknown: 0 }, choice);
    expect(plan.estimates.map(({ modality, executor }) => `${modality} ${executor}`)).toEqual([
      'imaging local',
      'imaging local',
      'imaging sagemaker',
    ]);
    expect(plan.original).toMatchObject({ studies: 162, minutes: 20, dollars: 13, minutesForTheseStudies: 20 });
    expect(plan.prices.verified).toBe(false);
    const text = planLines(plan).join('\n');
    expect(text).toContain('studies: 162, 73.6 GB in all (median 352 MB, p95 792 MB, largest 1300 MB)');
    expect(text).toContain('162 studies in 20 minutes');
    expect(text).toContain('about $13');
    expect(text).toContain('nobody has checked these prices');
  });

  it('rests on the assumptions that its estimates name, and on no others', () => {
    const { assumptions } = makePlan({ imaging: [], genomics: [{ bytes: 8e9, fromSra: true }], unknown: 0 }, choice);
    expect(Object.keys(assumptions)).toContain('dragenPerMb');
    expect(Object.keys(assumptions)).not.toContain('imagingPerMb');
  });

  it('takes machines, disks and pool from the settings of the account', () => {
    const settings = {
      sagemaker: { instanceTypes: ['ml.m5.xlarge'], volumeGb: 30 },
      dragen: { instanceTypes: ['f2.12xlarge'], instances: 3, rootVolume: { type: 'gp2', gb: 500 } },
    };
    const sizes = {
      imaging: [1e9],
      genomics: Array.from({ length: 9 }, () => ({ bytes: 1e9, fromSra: false })),
      unknown: 0,
    };
    const { estimates } = makePlan(sizes, { ...choice, settings });
    const of = (executor: string) => estimates.find((estimate) => estimate.executor === executor);
    expect(of('sagemaker')?.where).toBe('1 jobs of ml.m5.xlarge at once');
    expect(of('sagemaker')?.lines[1]?.how).toContain('30 GB');
    expect(of('dragen')?.where).toBe('3 × f2.12xlarge');
    expect(of('dragen')?.lines[1]).toMatchObject({ what: 'root volumes (gp2)' });
    expect(of('dragen')?.needs).toEqual([{ quota: 'Running On-Demand F instances (vCPUs)', least: 144 }]);
  });
});

describe('a plan with several instance types', () => {
  const sizes = { imaging: [1e9, 2e9], genomics: [{ bytes: 8e9, fromSra: false }], unknown: 0 };
  const settings = (sagemaker: readonly string[], dragen: readonly string[]) => ({
    sagemaker: { instanceTypes: sagemaker },
    dragen: { instanceTypes: dragen },
  });

  it('takes the first of each list, and says so where that has no price', () => {
    const { estimates } = makePlan(sizes, {
      ...choice,
      settings: settings(['ml.r6i.large', 'ml.r5.large'], ['f9.large', 'f2.6xlarge']),
    });
    const sagemaker = estimates.find(({ executor }) => executor === 'sagemaker')!;
    expect(sagemaker.where).toBe('2 jobs of ml.r6i.large at once');
    expect(sagemaker.dollars).toBeNull();
    expect(sagemaker.notes).toEqual([
      'no price of ml.r6i.large for processing in us-east-1',
      'planned with ml.r6i.large; ml.r5.large only where there is none of it',
    ]);
    expect(sagemaker.needs.map(({ quota }) => quota)).toEqual([
      'ml.r6i.large for processing job usage',
      'ml.r5.large for processing job usage',
      'Number of instances across all processing jobs',
    ]);
    const dragen = estimates.find(({ executor }) => executor === 'dragen')!;
    expect(dragen.dollars).toBeNull();
    expect(dragen.where).toContain('f9.large');
    expect(dragen.notes).toContain('no price of f9.large in us-east-1');
  });

  it('takes the price of another Region for a machine that the Region has no price of, and says so', () => {
    const plan = (unverified: readonly string[]): Plan =>
      makePlan(sizes, { ...choice, region: 'eu-central-1', prices: { ...PRICE_TABLE, unverified } });
    const { estimates } = plan([]);
    const dragen = estimates.find(({ executor }) => executor === 'dragen')!;
    expect(dragen.dollars).toBeGreaterThan(0);
    expect(dragen.notes).toContain('no price of f2.6xlarge in eu-central-1: that of us-east-1 is taken');
    expect(plan([]).prices.verified).toBe(true);
    expect(plan(['us-east-1.instances.f2.6xlarge']).prices.verified).toBe(false);
  });

  it('says that a type with disks of its own takes the key from all', () => {
    const { estimates } = makePlan(sizes, {
      ...choice,
      settings: { kmsKey: 'alias/key', ...settings(['ml.r5.large', 'ml.r5d.large'], ['f2.6xlarge']) },
    });
    const { notes } = estimates.find(({ executor }) => executor === 'sagemaker')!;
    expect(notes.join('\n')).toContain('ml.r5d.large has disks of its own');
  });

  it('is verified when every figure that it used was looked up, and only then', () => {
    const verified = (...unverified: string[]): boolean =>
      makePlan(sizes, { ...choice, prices: { ...PRICE_TABLE, unverified } }).prices.verified;
    expect(verified()).toBe(true);
    // Of another Region, another type, nobody's volume.
    expect(verified('us-west-2.processing.ml.r5.large', 'us-east-1.processing.ml.m5.large', 'us-east-1.gp2')).toBe(
      true,
    );
    for (const used of [
      'processing.ml.r5.large',
      'processingStorage',
      'fargateVcpu',
      's3Get',
      'instances.f2.6xlarge',
      'gp3',
    ]) {
      expect(verified(`us-east-1.${used}`), used).toBe(false);
    }
    expect(verified('*')).toBe(false);
  });
});

describe('the example of sizes', () => {
  const example = join(PACKAGE_ROOT, 'examples/nsclc-radiogenomics-sizes.csv');

  it('is the published cohort', () => {
    const sizes = readSizes(readFileSync(example), 'example');
    expect(sizes).toEqual({ imaging: realStudySizes(), genomics: [], unknown: 0 });
  });

  it('is planned by the command line', async () => {
    const said: string[] = [];
    const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    try {
      await planCommand().parseAsync(['--sizes', example, '--region', 'us-east-1', '--json'], { from: 'user' });
    } finally {
      out.mockRestore();
    }
    const plan = JSON.parse(said.join('')) as Plan;
    expect(plan.sizes.imaging).toMatchObject({ count: 162, median: 352e6 });
    const sagemaker = plan.estimates.find(({ executor }) => executor === 'sagemaker');
    expect(sagemaker).toMatchObject({ units: 162, atOnce: 50 });
    // The figures of docs/costs.md.
    expect(((sagemaker?.hours ?? 0) * 60).toFixed(0)).toBe('24');
    expect(sagemaker?.dollars?.toFixed(2)).toBe('2.33');
  });
});

describe('a sheet of accessions whose archive is out of reach', () => {
  it('is planned by the command line, with every command', async () => {
    const sheet = join(temporaryFolder('accessions'), 'cohort.csv');
    writeFileSync(sheet, 'case_id,sra\nA,SRR123456\nB,SRR123457\n');
    const said: string[] = [];
    const unreachable = vi.spyOn(S3Client.prototype, 'send').mockImplementation(() => {
      throw new Error('no way out');
    });
    const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    try {
      await planCommand().parseAsync(['--cohort', sheet, '--dragen-profile', 'seed', '--json'], { from: 'user' });
    } finally {
      out.mockRestore();
      unreachable.mockRestore();
    }
    const plan = JSON.parse(said.join('')) as Plan & { requests: { dragen: PlannedMachine } };
    expect(plan.estimates.map(({ executor }) => executor)).toEqual(['local', 'local', 'dragen']);
    expect(plan.sizes).toMatchObject({ unknown: 2, assumed: { genomics: 8e9 } });
    const { samples, launch } = plan.requests.dragen;
    expect(samples.map(({ fastqDump }) => fastqDump)).toEqual([
      [['fastq-dump', '-I', '--split-files', './L1']],
      [['fastq-dump', '-I', '--split-files', './L1']],
    ]);
    expect(launch).toMatchObject({ request: { InstanceType: 'f1.4xlarge' } });
  });
});

describe('the request of a job', () => {
  const settings = {
    sagemaker: {
      image: '123456789012.dkr.ecr.us-east-1.amazonaws.com/cohortflow@sha256:0',
      roleArn: 'arn:aws:iam::123456789012:role/jobs',
    },
    kmsKey: 'arn:aws:kms:us-east-1:123456789012:key/1',
    work: 's3://work/jobs/',
  };
  const study = (folder: string) => ({ modality: 'imaging', caseId: 'A', source: { kind: 'dicom', folder } }) as const;

  it('is what a run sends, without ids of the account', () => {
    const { request } = plannedJob(study('s3://cohort/A'), settings);
    expect(request).toMatchObject({
      RoleArn: 'arn:aws:iam::…:role/jobs',
      AppSpecification: { ImageUri: '….dkr.ecr.us-east-1.amazonaws.com/cohortflow@sha256:0' },
      ProcessingResources: { ClusterConfig: { InstanceType: 'ml.r5.large', VolumeSizeInGB: 5 } },
    });
    expect(JSON.stringify(request)).toContain('"S3Uri":"s3://cohort/A/"');
    expect(JSON.stringify(request)).not.toContain('123456789012');
  });

  it('is there for a cohort that is only counted', () => {
    expect(JSON.stringify(plannedJob(undefined, settings))).toContain('s3://bucket/cohort/CASE-1/');
  });

  it('is not there without the settings of jobs, or for studies that are not in S3, and says why', () => {
    expect(plannedJob(study('s3://cohort/A'), {})).toMatchObject({
      request: null,
      why: expect.stringContaining('image'),
    });
    expect(plannedJob(study('/data/A'), settings)).toMatchObject({ request: null, why: expect.stringContaining('S3') });
  });
});
