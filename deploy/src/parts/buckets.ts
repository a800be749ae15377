import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership, type BucketProps } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/** Encrypted, versioned, over TLS only, never public, and still there when the stack is removed. */
function closed(): BucketProps {
  return {
    versioned: true,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    removalPolicy: RemovalPolicy.RETAIN,
  };
}

/** A bucket of data under our key. What is deleted or overwritten is gone for good after `oldVersionsDays`. */
export function dataBucket(scope: Construct, id: string, key: IKey, oldVersionsDays: number): Bucket {
  return new Bucket(scope, id, {
    ...closed(),
    encryption: BucketEncryption.KMS,
    encryptionKey: key,
    bucketKeyEnabled: true,
    lifecycleRules: [
      {
        id: 'leftovers',
        abortIncompleteMultipartUploadAfter: Duration.days(7),
        noncurrentVersionExpiration: Duration.days(oldVersionsDays),
        expiredObjectDeleteMarker: true,
      },
    ],
  });
}

/** Where the audit trail is kept; the trail itself is encrypted with our key. */
export function trailBucket(scope: Construct, id: string, keepDays: number): Bucket {
  return new Bucket(scope, id, {
    ...closed(),
    encryption: BucketEncryption.S3_MANAGED,
    lifecycleRules: [
      {
        id: 'old-records',
        expiration: Duration.days(keepDays),
        noncurrentVersionExpiration: Duration.days(1),
        abortIncompleteMultipartUploadAfter: Duration.days(7),
      },
    ],
  });
}
