import { Aws, Stack } from 'aws-cdk-lib';
import { ReadWriteType, Trail } from 'aws-cdk-lib/aws-cloudtrail';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/**
 * Who read or wrote which object of the data buckets, when and from where. Calls about the account itself are in CloudTrail's
 * event history anyway and are left out.
 */
export function auditTrail(
  scope: Construct,
  name: string,
  key: Key,
  trailBucket: Bucket,
  data: readonly Bucket[],
): Trail {
  const trailName = `${name}-data-access`;
  const { region } = Stack.of(scope);
  const trailArn = `arn:${Aws.PARTITION}:cloudtrail:${region}:${Aws.ACCOUNT_ID}:trail/${trailName}`;
  const principals = [new ServicePrincipal('cloudtrail.amazonaws.com')];
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'AuditTrail',
      principals,
      actions: ['kms:GenerateDataKey*', 'kms:DescribeKey'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceArn': trailArn } },
    }),
  );
  const trail = new Trail(scope, 'Trail', {
    trailName,
    bucket: trailBucket,
    encryptionKey: key,
    enableFileValidation: true,
    isMultiRegionTrail: false,
    includeGlobalServiceEvents: false,
    managementEvents: ReadWriteType.NONE,
  });
  trail.addS3EventSelector(data.map((bucket) => ({ bucket })));
  return trail;
}
