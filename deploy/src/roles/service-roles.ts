import { Aws } from 'aws-cdk-lib';
import { InstanceProfile, PolicyStatement, Role, ServicePrincipal, type RoleProps } from 'aws-cdk-lib/aws-iam';
import { arn, isSecret, objectsOf, readable, type Grounds } from './grounds.js';
import { keyForDisks, keyForObjects } from './storage.js';

type Before = Omit<Grounds, 'jobsRole' | 'featuresRole' | 'machinesRole'>;

/**
 * Only for this account: a service that acts for somebody else does not get our roles. EC2 names no account when a machine
 * takes its role, and cannot hand the role to machines of anybody else.
 */
const assumedBy = (service: string): RoleProps['assumedBy'] =>
  new ServicePrincipal(
    service,
    service === 'ec2.amazonaws.com' ? {} : { conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } } },
  );

function role(grounds: Before, id: string, service: string, description: string, may: PolicyStatement[]): Role {
  const { scope } = grounds;
  const made = new Role(scope, id, { assumedBy: assumedBy(service), description });
  for (const statement of may) made.addToPolicy(statement);
  return made;
}

/** A job's network interfaces, and its metrics. */
function jobsNetwork(): readonly PolicyStatement[] {
  return [
    // SageMaker tries these without naming our subnets: narrowed in any way, no job starts. The role is assumed by SageMaker
    // alone, for jobs of our account.
    new PolicyStatement({
      sid: 'Interfaces',
      actions: [
        ...['ec2:CreateNetworkInterface', 'ec2:CreateNetworkInterfacePermission', 'ec2:DeleteNetworkInterface'],
        ...['ec2:DeleteNetworkInterfacePermission', 'ec2:DescribeDhcpOptions', 'ec2:DescribeNetworkInterfaces'],
        ...['ec2:DescribeSecurityGroups', 'ec2:DescribeSubnets', 'ec2:DescribeVpcs'],
      ],
      resources: ['*'],
    }),
    new PolicyStatement({
      sid: 'Metrics',
      actions: ['cloudwatch:PutMetricData'],
      resources: ['*'],
      conditions: { StringEquals: { 'cloudwatch:namespace': '/aws/sagemaker/ProcessingJobs' } },
    }),
  ];
}

/** What SageMaker may do for a processing job: move its files, fetch its image, write its log. */
export function jobsRole(grounds: Before): Role {
  const { settings, repositoryArn, results } = grounds;
  const buckets = readable(grounds as Grounds);
  const tagged = { StringEquals: { 's3:ExistingObjectTag/sagemaker': 'true' } };
  return role(grounds, 'JobsRole', 'sagemaker.amazonaws.com', 'cohortflow processing jobs', [
    new PolicyStatement({ sid: 'List', actions: ['s3:ListBucket'], resources: [...buckets] }),
    new PolicyStatement({
      sid: 'Read',
      actions: ['s3:GetObject'],
      resources: objectsOf(buckets),
      ...(settings.storage.onlyTaggedObjects ? { conditions: tagged } : {}),
    }),
    new PolicyStatement({ sid: 'Write', actions: ['s3:PutObject'], resources: [`${results.bucketArn}/*`] }),
    keyForObjects(grounds),
    // SageMaker looks for it where outputs have a key.
    new PolicyStatement({ sid: 'KeyForOutputs', actions: ['kms:Encrypt'], resources: [grounds.key.keyArn] }),
    ...keyForDisks(grounds),
    new PolicyStatement({
      sid: 'Image',
      actions: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
      resources: [repositoryArn],
    }),
    new PolicyStatement({ sid: 'ImageToken', actions: ['ecr:GetAuthorizationToken'], resources: ['*'] }),
    new PolicyStatement({
      sid: 'Log',
      actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
      resources: [
        arn(grounds, 'logs', 'log-group:/aws/sagemaker/ProcessingJobs'),
        arn(grounds, 'logs', 'log-group:/aws/sagemaker/ProcessingJobs:log-stream:cohortflow-*'),
      ],
    }),
    ...jobsNetwork(),
  ]);
}

/** What Feature Store may do: write the offline store and keep its tables. */
export function featuresRole(grounds: Before): Role {
  const { results } = grounds;
  return role(grounds, 'FeaturesRole', 'sagemaker.amazonaws.com', 'cohortflow feature groups', [
    new PolicyStatement({ sid: 'Bucket', actions: ['s3:GetBucketAcl'], resources: [results.bucketArn] }),
    new PolicyStatement({
      sid: 'Write',
      actions: ['s3:PutObject', 's3:PutObjectAcl'],
      resources: [`${results.bucketArn}/features/*`],
    }),
    new PolicyStatement({
      sid: 'Metadata',
      actions: ['s3:GetObject'],
      resources: [`${results.bucketArn}/features/*/metadata/*`],
    }),
    // Feature Store tries the key itself before it writes by S3: under a key for S3 alone no group is made.
    new PolicyStatement({
      sid: 'KeyForStore',
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [grounds.key.keyArn],
    }),
    new PolicyStatement({
      sid: 'Tables',
      actions: ['glue:GetTable', 'glue:UpdateTable'],
      resources: ['catalog', 'database/sagemaker_featurestore', 'table/sagemaker_featurestore/*'].map((resource) =>
        arn(grounds, 'glue', resource),
      ),
    }),
  ]);
}

/** The licence credentials, where they are not an object like any other. */
function licence(grounds: Before): readonly PolicyStatement[] {
  const where = grounds.settings.dragen?.licence;
  if (where === undefined || where.startsWith('s3://')) return [];
  if (isSecret(where)) {
    return [new PolicyStatement({ sid: 'Licence', actions: ['secretsmanager:GetSecretValue'], resources: [where] })];
  }
  const parameter = where.startsWith('arn:') ? where : arn(grounds, 'ssm', `parameter${where}`);
  return [new PolicyStatement({ sid: 'Licence', actions: ['ssm:GetParameter'], resources: [parameter] })];
}

/** What a DRAGEN machine may do: be reached by Systems Manager, move its files, read the licence. */
export function machinesRole(grounds: Before): { readonly role: Role; readonly profile: InstanceProfile } {
  const { scope, results } = grounds;
  const buckets = readable(grounds as Grounds);
  const made = role(grounds, 'MachinesRole', 'ec2.amazonaws.com', 'cohortflow DRAGEN machines', [
    new PolicyStatement({ sid: 'List', actions: ['s3:ListBucket'], resources: [...buckets] }),
    new PolicyStatement({ sid: 'Read', actions: ['s3:GetObject'], resources: objectsOf(buckets) }),
    new PolicyStatement({
      sid: 'Write',
      actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
      resources: [`${results.bucketArn}/*`],
    }),
    keyForObjects(grounds),
    new PolicyStatement({
      sid: 'Agent',
      actions: [
        'ssm:UpdateInstanceInformation',
        ...['CreateControlChannel', 'CreateDataChannel', 'OpenControlChannel', 'OpenDataChannel'].map(
          (action) => `ssmmessages:${action}`,
        ),
        ...['AcknowledgeMessage', 'DeleteMessage', 'FailMessage', 'GetEndpoint', 'GetMessages', 'SendReply'].map(
          (action) => `ec2messages:${action}`,
        ),
      ],
      resources: ['*'],
    }),
    ...licence(grounds),
  ]);
  return { role: made, profile: new InstanceProfile(scope, 'MachinesProfile', { role: made }) };
}
