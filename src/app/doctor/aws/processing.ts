import { ecrImage } from '../../../adapters/aws/account/account-reader.js';
import type { AwsQuota } from '../../../ports/aws-account.js';
import { failed, ok, warning, type Check, type Verdict } from '../check.js';
import { unencryptedNote } from '../../../adapters/aws/sagemaker/job-spec.js';
import { increase } from './quota-fix.js';
import { DEFAULT_AT_ONCE, type AwsSubject } from './wanted.js';

export const DEFAULT_PROCESSING_TYPES = ['ml.r5.large'] as const;

const forType = (type: string): string => `${type} for processing job usage`;
const ALL_JOBS = /^Number of instances across (all )?processing jobs$/i;

/** The quotas that bound processing jobs of some instance types. */
export function processingQuotas(types: readonly string[]): (name: string) => boolean {
  const names = new Set(types.map(forType));
  return (name) => names.has(name) || ALL_JOBS.test(name);
}

function judge({ name, code, value }: AwsQuota, wanted: number): Verdict {
  const fix = increase('sagemaker', code, name, wanted);
  if (value < 1) return failed(`"${name}" is 0: no job can start`, fix);
  if (value < wanted) return warning(`"${name}" is ${value}: a run has so many at once instead of ${wanted}`, fix);
  return ok(`"${name}" is ${value}`);
}

/** How many processing jobs the account may have. */
export function processingQuotaCheck({ account, settings, wanted }: AwsSubject): Check {
  const types = settings.sagemaker?.instanceTypes ?? DEFAULT_PROCESSING_TYPES;
  const width = wanted.atOnce?.imaging ?? DEFAULT_AT_ONCE;
  return {
    name: 'Quota of processing jobs',
    look: async (signal) => {
      const quotas = await account.quotas('sagemaker', processingQuotas(types), signal);
      const missing = types.filter((type) => !quotas.some(({ name }) => name === forType(type)));
      return [
        ...quotas.map((quota) => judge(quota, width)),
        ...missing.map((type) =>
          failed(`there is no quota "${forType(type)}"`, 'correct aws.sagemaker.instanceTypes: ml.r5.large, say'),
        ),
      ];
    },
  };
}

/** The image that jobs run. */
export function imageCheck({ account, settings }: AwsSubject): Check {
  const uri = settings.sagemaker?.image;
  return {
    name: 'Processing image',
    look: async (signal) => {
      if (uri === undefined) {
        return failed(
          'not configured: aws.sagemaker.image',
          'build the target processing, push it to ECR and set aws.sagemaker.image',
        );
      }
      const parts = ecrImage(uri);
      if (parts === undefined) {
        return failed(`${uri} is not in ECR, which jobs take their images from`, 'push it to ECR: aws.sagemaker.image');
      }
      const digest = await account.containerImage(uri, signal);
      const { repository, region } = parts;
      const what = `${repository}${parts.digest === undefined ? `:${parts.tag ?? 'latest'}` : `@${parts.digest}`}`;
      if (digest === undefined) {
        return failed(`${what} is not in ECR of ${region}`, 'push the image, or correct aws.sagemaker.image');
      }
      const here = await account.region();
      if (here !== undefined && here !== region) {
        return failed(`${what} is in ${region}, jobs run in ${here}`, 'push the image to the Region of the jobs');
      }
      if (parts.digest !== undefined) return ok(what);
      return warning(
        `${what}: a tag can come to mean another image`,
        `set aws.sagemaker.image to …/${repository}@${digest}`,
      );
    },
  };
}

/** Whether the key of the settings encrypts the volumes of jobs. */
export function volumeKeyCheck({ account, settings }: AwsSubject): Check {
  const { kmsKey = '' } = settings;
  const note = unencryptedNote(settings);
  return {
    name: 'Volumes of the jobs',
    look: async (signal) => {
      if (note !== undefined) {
        const fix = 'leave types with disks of their own out of aws.sagemaker.instanceTypes, where that matters';
        return warning(note, fix);
      }
      const facts = await account.key(kmsKey, signal);
      if (facts?.enabled === true) return ok('encrypted with aws.kmsKey');
      return failed('aws.kmsKey cannot encrypt them', 'see KMS key');
    },
  };
}
