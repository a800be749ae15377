import { describe, expect, it } from 'vitest';
import { jobSpec, SPEC_TAG, unencryptedNote } from '../../../../../src/adapters/aws/sagemaker/job-spec.js';
import type { AwsSettings, SageMakerSettings } from '../../../../../src/config/aws-settings.js';
import type { ImagingUnit } from '../../../../../src/domain/cohort/manifest.js';
import { validateJob } from '../../../../support/aws/validate-job.js';

const NAME = `cohortflow-${'a'.repeat(32)}`;
const PLACE = `s3://work/run/${NAME}`;
const STUDY: ImagingUnit = {
  modality: 'imaging',
  caseId: 'R01-00',
  source: { kind: 'dicom', folder: 's3://data/R01-00' },
};
const TAGS = { 'cohortflow:work': NAME, 'cohortflow:workflow': 'cohortflow-1/imaging/R01-00' };

function spec(more: SageMakerSettings = {}, settings: AwsSettings = {}, unit = STUDY) {
  const sagemaker = { image: 'registry/image@sha256:0', roleArn: 'arn:aws:iam::123456789012:role/jobs', ...more };
  const key = settings.kmsKey?.replace('alias/', 'arn:aws:kms:eu-central-1:123456789012:key/');
  const request = jobSpec(NAME, PLACE, unit, TAGS, { ...settings, sagemaker }, key);
  // What the service would refuse, the stand-in refuses.
  validateJob(JSON.parse(JSON.stringify(request)) as Record<string, unknown>);
  return request;
}

describe('the processing job of a study', () => {
  it('is the original’s: one ml.r5.large with 5 GB, bounded in time and cut off from the network', () => {
    expect(spec()).toMatchObject({
      ProcessingResources: {
        ClusterConfig: { InstanceType: 'ml.r5.large', InstanceCount: 1, VolumeSizeInGB: 5 },
      },
      StoppingCondition: { MaxRuntimeInSeconds: 3600 },
      NetworkConfig: { EnableNetworkIsolation: true },
    });
  });

  it('closes the prefix of its study, so that no other case comes with it', () => {
    const [request, study] = spec().ProcessingInputs ?? [];
    expect(request?.S3Input?.S3Uri).toBe(`${PLACE}/request/`);
    expect(study?.S3Input).toMatchObject({ S3Uri: 's3://data/R01-00/', LocalPath: '/opt/ml/processing/input/study' });
  });

  it('takes an image and a mask as one object each', () => {
    const source = { kind: 'nifti', image: 's3://data/a/ct.nii.gz', mask: 's3://data/a/seg.nii.gz' } as const;
    const inputs = spec({}, {}, { ...STUDY, source }).ProcessingInputs ?? [];
    expect(inputs.map((one) => one.S3Input?.S3Uri).slice(1)).toEqual([source.image, source.mask]);
  });

  it('lists several types in order of preference, and encrypts with the key of the settings', () => {
    const types = ['ml.r5.large', 'ml.m5.xlarge'];
    const { ProcessingResources, ProcessingOutputConfig } = spec({ instanceTypes: types }, { kmsKey: 'alias/key' });
    expect(ProcessingResources?.ClusterConfig).toMatchObject({
      InstancePreferences: types.map((InstanceType) => ({ InstanceType, InstanceCount: 1 })),
      VolumeKmsKeyId: 'arn:aws:kms:eu-central-1:123456789012:key/key',
    });
    expect(ProcessingOutputConfig?.KmsKeyId).toBe('alias/key');
  });

  it.each([
    ...['ml.r5d.large', 'ml.m5dn.xlarge', 'ml.c5ad.large', 'ml.g4dn.xlarge', 'ml.g5.xlarge', 'ml.g6e.xlarge'],
    ...[
      'ml.p4d.24xlarge',
      'ml.p4de.24xlarge',
      'ml.p5.48xlarge',
      'ml.p5en.48xlarge',
      'ml.trn1.2xlarge',
      'ml.i3en.large',
    ],
  ])('sets no key for disks that the service encrypts by itself: %s', (type) => {
    const settings = { kmsKey: 'alias/key' };
    const { ProcessingResources } = spec({ instanceTypes: [type] }, settings);
    expect(ProcessingResources?.ClusterConfig?.VolumeKmsKeyId).toBeUndefined();
    // Beside others it takes the key from all of them, which is said.
    const instanceTypes = ['ml.r5.large', type];
    expect(spec({ instanceTypes }, settings).ProcessingResources?.ClusterConfig?.VolumeKmsKeyId).toBeUndefined();
    expect(unencryptedNote({ ...settings, sagemaker: { instanceTypes } })).toContain(`${type} has disks of its own`);
  });

  it.each(['ml.r5.large', 'ml.m6i.xlarge', 'ml.c5n.xlarge', 'ml.p3.2xlarge', 'ml.inf1.xlarge', 'ml.t3.medium'])(
    'sets the key for all others: %s',
    (type) => {
      const { ProcessingResources } = spec({ instanceTypes: [type] }, { kmsKey: 'alias/key' });
      expect(ProcessingResources?.ClusterConfig?.VolumeKmsKeyId).toContain(':key/key');
      expect(unencryptedNote({ kmsKey: 'alias/key', sagemaker: { instanceTypes: [type] } })).toBeUndefined();
    },
  );

  it('carries our tags and those of the settings', () => {
    const { Tags } = spec({}, { tags: { team: 'imaging' } });
    expect(Tags).toEqual([
      { Key: 'team', Value: 'imaging' },
      ...Object.entries(TAGS).map(([Key, Value]) => ({ Key, Value })),
      { Key: SPEC_TAG, Value: expect.stringMatching(/^[0-9a-f]{32}$/) as string },
    ]);
  });

  it('carries a digest of its specification: another image, machine or study is another, other tags are not', () => {
    const digest = (...args: Parameters<typeof spec>): string | undefined =>
      spec(...args).Tags?.find(({ Key }) => Key === SPEC_TAG)?.Value;
    expect(digest({}, { tags: { team: 'imaging' } })).toBe(digest());
    const other = { ...STUDY, source: { kind: 'dicom', folder: 's3://data/R01-01' } } as const;
    const all = [
      digest(),
      digest({ image: 'registry/image@sha256:1' }),
      digest({ volumeGb: 20 }),
      digest({}, {}, other),
    ];
    expect(new Set(all).size).toBe(4);
  });

  it('is refused without what it needs, and for a study that is not in S3', () => {
    expect(() => jobSpec(NAME, PLACE, STUDY, TAGS, {})).toThrow('aws.sagemaker.image and aws.sagemaker.roleArn');
    expect(() => spec({ subnets: ['subnet-1'] })).toThrow('subnets and securityGroups go together');
    const local = { ...STUDY, source: { kind: 'dicom', folder: '/data/R01-00' } } as const;
    expect(() => spec({}, {}, local)).toThrow('reads studies in S3 only');
  });
});

describe('the stand-in, as the service', () => {
  const request = (): Record<string, unknown> => JSON.parse(JSON.stringify(spec())) as Record<string, unknown>;
  const cluster = (config: object): Record<string, unknown> => ({
    ...request(),
    ProcessingResources: { ClusterConfig: { VolumeSizeInGB: 5, ...config } },
  });
  const one = (InstanceType: string, InstanceCount?: number): object => ({
    InstanceType,
    ...(InstanceCount === undefined ? {} : { InstanceCount }),
  });

  it.each([
    [{ InstanceCount: 1, InstancePreferences: [one('ml.r5.large', 1)] }, 'exclude each other'],
    [{ InstancePreferences: [one('ml.r5.large', 1), one('ml.m5.large')] }, 'in all InstancePreferences or in none'],
    [{ InstancePreferences: [one('ml.r5.large')] }, 'InstanceCount'],
    [{ InstancePreferences: [one('ml.r5.large', 1), one('ml.r5.large', 1)] }, 'only once'],
  ])('refuses instances %j', (config, message) => {
    expect(() => validateJob(cluster(config))).toThrow(message);
  });

  it('takes a count with each type, or one for all', () => {
    expect(() => validateJob(cluster({ InstancePreferences: [one('ml.r5.large', 1)] }))).not.toThrow();
    expect(() => validateJob(cluster({ InstanceCount: 1, InstancePreferences: [one('ml.r5.large')] }))).not.toThrow();
  });

  it.each([
    [
      [
        { Key: 'team', Value: 'a' },
        { Key: 'team', Value: 'b' },
      ],
      'given twice',
    ],
    [[{ Key: 'aws:team', Value: 'a' }], 'reserved'],
    [[{ Key: '', Value: 'a' }], 'tag.key'],
  ])('refuses tags %j', (tags, message) => {
    expect(() => validateJob({ ...request(), Tags: tags })).toThrow(message);
  });

  it('refuses an entrypoint of nothing', () => {
    const app = { ImageUri: 'registry/image@sha256:0', ContainerEntrypoint: [] };
    expect(() => validateJob({ ...request(), AppSpecification: app })).toThrow('ContainerEntrypoint');
  });
});
