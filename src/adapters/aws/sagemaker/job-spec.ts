import { createHash } from 'node:crypto';
import type { CreateProcessingJobCommandInput, ProcessingInput } from '@aws-sdk/client-sagemaker';
import type { AwsSettings } from '../../../config/aws-settings.js';
import { inputFolder, RESULTS_FOLDER, type ProcessingInput as Role } from '../../../contracts/processing.js';
import type { ImagingStudyInput } from '../../../contracts/inputs.js';
import { CohortflowError } from '../../../domain/errors.js';
import { isS3 } from '../s3-location.js';

/** What a job gets when the settings do not say: the original's machine and volume, and an hour. */
export const JOB_DEFAULTS = { instanceType: 'ml.r5.large', volumeGb: 5, maxMinutes: 60 } as const;

/**
 * Types with disks of their own (NVMe), which the service encrypts itself and takes no key of ours for: those with a `d` after
 * the generation, and the families that always have them.
 */
const OWN_DISKS = /^ml\.([a-z]+\d+[a-z]*d[a-z]*|(g[5-9]|gr\d|p[4-9]|trn\d|i\d|im\d|is\d|d\d|h1|x1|f\d)[a-z]*)\./;

/** Types of the settings for whose disks a key of ours cannot be used. */
function withOwnDisks(instanceTypes: readonly string[]): readonly string[] {
  return instanceTypes.filter((type) => OWN_DISKS.test(type));
}

/** What is told where the key of the settings does not encrypt the volumes of jobs; undefined where it does. */
export function unencryptedNote({ kmsKey, sagemaker }: AwsSettings): string | undefined {
  const own = withOwnDisks(sagemaker?.instanceTypes ?? []);
  if (kmsKey === undefined || own.length === 0) return undefined;
  const have = own.length === 1 ? 'has disks of its own' : 'have disks of their own';
  return `${own.join(', ')} ${have}: with it in the list no volume of any type is encrypted with aws.kmsKey, but by the service itself`;
}

/**
 * The settings without which there is no job.
 *
 * @throws CohortflowError `AwsNotConfigured` naming those that are missing
 */
export function neededForJobs(settings: AwsSettings): { readonly image: string; readonly roleArn: string } {
  const { image, roleArn } = settings.sagemaker ?? {};
  const missing = Object.entries({ image, roleArn }).filter(([, value]) => value === undefined);
  if (image === undefined || roleArn === undefined) {
    const names = missing.map(([name]) => `aws.sagemaker.${name}`).join(' and ');
    throw new CohortflowError('AwsNotConfigured', `the executor sagemaker needs the setting ${names}`);
  }
  return { image, roleArn };
}

/** True for a study that is one object by its name. */
export const isArchive = (uri: string): boolean => /\.(zip|tar|tgz|tar\.gz)$/i.test(uri);

/** The study's places by role: a DICOM study is a prefix or an archive, an image and a mask are one object each. */
function sourcesOf({ source }: ImagingStudyInput['unit']): readonly (readonly [role: Role, uri: string])[] {
  const sources: readonly (readonly [Role, string])[] =
    source.kind === 'dicom'
      ? [['study', isArchive(source.folder) ? source.folder : `${source.folder.replace(/\/+$/, '')}/`]]
      : [
          ['image', source.image],
          ['mask', source.mask],
        ];
  if (!sources.every(([, uri]) => isS3(uri))) {
    const message = 'the executor sagemaker reads studies in S3 only: copy them there and give s3:// in the sheet';
    throw new CohortflowError('InvalidInput', message);
  }
  return sources;
}

/** Tag that tells a job's specification: a job of the same name is taken for ours only when it has the same. */
export const SPEC_TAG = 'cohortflow:spec';

/** The same for the same specification, which is always put together in the same order. */
function digestOf(spec: object): string {
  return createHash('sha256').update(JSON.stringify(spec)).digest('hex').slice(0, 32);
}

function s3Input(role: Role, uri: string): ProcessingInput {
  return {
    InputName: role,
    S3Input: {
      S3Uri: uri,
      LocalPath: inputFolder(role),
      S3DataType: 'S3Prefix',
      S3InputMode: 'File',
      S3DataDistributionType: 'FullyReplicated',
      S3CompressionType: 'None',
    },
  };
}

/**
 * The job of one study. A prefix is closed with a slash: S3 would otherwise take every key that begins alike.
 *
 * @param place `s3://…/<name>` of the job: its request is below `request/`, its results go below `results/`
 * @param volumeKey the key of the settings by its id or ARN: for volumes the service takes no alias
 * @throws CohortflowError `AwsNotConfigured`, `InvalidInput` for a study that is not in S3
 */
export function jobSpec(
  name: string,
  place: string,
  unit: ImagingStudyInput['unit'],
  tags: Readonly<Record<string, string>>,
  settings: AwsSettings,
  volumeKey = settings.kmsKey,
): CreateProcessingJobCommandInput {
  const { image, roleArn } = neededForJobs(settings);
  const { sagemaker = {}, kmsKey } = settings;
  const { instanceTypes = [JOB_DEFAULTS.instanceType], volumeGb = JOB_DEFAULTS.volumeGb } = sagemaker;
  const { subnets, securityGroups, networkIsolation = true, maxMinutes = JOB_DEFAULTS.maxMinutes } = sagemaker;
  const [first = JOB_DEFAULTS.instanceType] = instanceTypes;
  if ((subnets === undefined) !== (securityGroups === undefined)) {
    const message = 'aws.sagemaker: subnets and securityGroups go together; give both or neither';
    throw new CohortflowError('AwsNotConfigured', message);
  }
  const encrypts = kmsKey !== undefined && withOwnDisks(instanceTypes).length === 0;
  const machine =
    instanceTypes.length === 1
      ? { InstanceType: first, InstanceCount: 1 }
      : { InstancePreferences: instanceTypes.map((InstanceType) => ({ InstanceType, InstanceCount: 1 })) };
  const vpc =
    subnets === undefined
      ? {}
      : { VpcConfig: { Subnets: [...subnets], SecurityGroupIds: [...(securityGroups ?? [])] } };
  const spec: Omit<CreateProcessingJobCommandInput, 'Tags'> = {
    ProcessingJobName: name,
    RoleArn: roleArn,
    AppSpecification: { ImageUri: image },
    ProcessingInputs: [
      s3Input('request', `${place}/request/`),
      ...sourcesOf(unit).map(([role, uri]) => s3Input(role, uri)),
    ],
    ProcessingOutputConfig: {
      ...(kmsKey === undefined ? {} : { KmsKeyId: kmsKey }),
      Outputs: [
        {
          OutputName: 'results',
          S3Output: { S3Uri: `${place}/results`, LocalPath: RESULTS_FOLDER, S3UploadMode: 'EndOfJob' },
        },
      ],
    },
    ProcessingResources: {
      ClusterConfig: {
        ...machine,
        VolumeSizeInGB: volumeGb,
        ...(encrypts ? { VolumeKmsKeyId: volumeKey } : {}),
      } as NonNullable<CreateProcessingJobCommandInput['ProcessingResources']>['ClusterConfig'],
    },
    StoppingCondition: { MaxRuntimeInSeconds: maxMinutes * 60 },
    NetworkConfig: { EnableNetworkIsolation: networkIsolation, ...vpc },
  };
  const all = { ...settings.tags, ...tags, [SPEC_TAG]: digestOf(spec) };
  return { ...spec, Tags: Object.entries(all).map(([Key, Value]) => ({ Key, Value })) };
}
