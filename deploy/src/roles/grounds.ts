import { Aws, Stack } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { Settings } from '../settings.js';

/** What permissions are about. */
export interface Grounds {
  readonly scope: Construct;
  readonly settings: Settings;
  readonly key: IKey;
  readonly inputs: IBucket;
  readonly results: IBucket;
  /** ARNs of what SageMaker and EC2 are handed. */
  readonly jobsRole: IRole;
  readonly featuresRole: IRole;
  readonly machinesRole?: IRole;
  readonly repositoryArn: string;
  readonly subnetIds: readonly string[];
  readonly machinesGroupId: string;
  readonly jobsGroupId: string;
}

/** An ARN in this account and Region. */
export function arn({ scope }: Pick<Grounds, 'scope'>, service: string, resource: string): string {
  return `arn:${Aws.PARTITION}:${service}:${Stack.of(scope).region}:${Aws.ACCOUNT_ID}:${resource}`;
}

/** ARNs of buckets that are read: ours and those that others gave. */
export function readable({ inputs, results, settings }: Grounds): readonly string[] {
  const { readBuckets, requesterPays } = settings.storage;
  // Public buckets are read without credentials: no right to them is needed.
  const others = [...new Set([...readBuckets, ...requesterPays])].map((name) => `arn:${Aws.PARTITION}:s3:::${name}`);
  return [inputs.bucketArn, results.bucketArn, ...others];
}

/** True for the ARN of a secret. */
export const isSecret = (licence: string): boolean => /^arn:[\w-]+:secretsmanager:/.test(licence);

export const objectsOf = (buckets: readonly string[]): string[] => buckets.map((bucket) => `${bucket}/*`);
