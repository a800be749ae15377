import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { Repository, TagMutability, TagStatus } from 'aws-cdk-lib/aws-ecr';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { auditTrail } from './parts/audit-trail.js';
import { dataBucket, trailBucket } from './parts/buckets.js';
import { dataKey } from './parts/data-key.js';
import { logGroups, type Logs } from './parts/logs.js';
import type { Settings } from './settings.js';

/** How long the audit trail is kept: six years, what health records' rules commonly ask for. */
const TRAIL_DAYS = 6 * 365 + 2;

/** What must outlive everything else: key, buckets, images, logs, audit trail. Removing the stack leaves all of it but the trail's switch. */
export class DataStack extends Stack {
  readonly key: Key;
  /** Cohort sheets, studies, reads, references. */
  readonly inputs: Bucket;
  /** Outputs of runs, work of jobs, feature store, query results. */
  readonly results: Bucket;
  readonly repository: Repository;
  readonly logs: Logs;

  constructor(scope: Construct, id: string, settings: Settings, props: StackProps = {}) {
    super(scope, id, {
      ...props,
      description: `${settings.name}: key, buckets, images, logs and audit trail (kept when removed)`,
    });
    const { name, storage, dragen, logDays } = settings;
    this.key = dataKey(this, name, dragen?.spot === true);
    this.logs = logGroups(this, name, this.key, logDays);
    this.inputs = dataBucket(this, 'Inputs', this.key, storage.oldVersionsDays);
    this.results = dataBucket(this, 'Results', this.key, storage.oldVersionsDays);
    const trail = trailBucket(this, 'TrailBucket', TRAIL_DAYS);
    auditTrail(this, name, this.key, trail, [this.inputs, this.results]);
    this.repository = new Repository(this, 'Images', {
      repositoryName: name,
      imageTagMutability: TagMutability.IMMUTABLE,
      imageScanOnPush: true,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [{ description: 'layers that nothing names', tagStatus: TagStatus.UNTAGGED, maxImageCount: 50 }],
    });
    new CfnOutput(this, 'InputsBucket', { value: this.inputs.bucketName, description: 'cohort sheets and studies' });
    new CfnOutput(this, 'ResultsBucket', { value: this.results.bucketName, description: 'outputs, work, features' });
    new CfnOutput(this, 'Repository', { value: this.repository.repositoryUri, description: 'push both images here' });
  }
}
