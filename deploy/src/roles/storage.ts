import { Aws, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { objectsOf, readable, type Grounds } from './grounds.js';

/** The installation's key, used by S3 for whoever reads and writes objects. */
export function keyForObjects(
  { scope, key }: Pick<Grounds, 'scope' | 'key'>,
  actions: readonly string[] = ['kms:Decrypt', 'kms:GenerateDataKey'],
): PolicyStatement {
  return new PolicyStatement({
    sid: 'KeyForObjects',
    actions: [...actions],
    resources: [key.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `s3.${Stack.of(scope).region}.${Aws.URL_SUFFIX}` } },
  });
}

/** Reads what is put in, reads and writes what comes out. Inputs cannot be changed. */
export function storage(grounds: Grounds): readonly PolicyStatement[] {
  const { results } = grounds;
  const buckets = readable(grounds);
  return [
    new PolicyStatement({ sid: 'List', actions: ['s3:ListBucket'], resources: [...buckets] }),
    // With their tags: a copy within S3 takes them along.
    new PolicyStatement({
      sid: 'Read',
      actions: ['s3:GetObject', 's3:GetObjectTagging'],
      resources: objectsOf(buckets),
    }),
    new PolicyStatement({
      sid: 'Write',
      actions: ['s3:PutObject', 's3:PutObjectTagging', 's3:DeleteObject', 's3:AbortMultipartUpload'],
      resources: objectsOf([results.bucketArn]),
    }),
    keyForObjects(grounds),
  ];
}

/** Data keys for the payloads of workflows, and for nothing else: the purpose is part of what is asked for. */
export function payloads({ key }: Grounds): PolicyStatement {
  return new PolicyStatement({
    sid: 'KeyForPayloads',
    actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
    resources: [key.keyArn],
    conditions: { StringEquals: { 'kms:EncryptionContext:purpose': 'cohortflow-payload' } },
  });
}

/** Disks of jobs are encrypted by the service on our behalf. */
export function keyForDisks({ key }: Pick<Grounds, 'key'>): readonly PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'KeyForDisks',
      actions: ['kms:CreateGrant'],
      resources: [key.keyArn],
      conditions: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
    }),
    new PolicyStatement({ sid: 'LookAtKey', actions: ['kms:DescribeKey'], resources: [key.keyArn] }),
  ];
}
