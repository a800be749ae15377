/** Encrypted objects: whoever reads or writes one uses the key, too. */
const READ = ['s3:GetObject', 'kms:Decrypt'];
const WRITE = ['s3:PutObject', 's3:PutObjectTagging', 'kms:GenerateDataKey'];
const PARTS = [...WRITE, 'kms:Decrypt'];
const JOB_DISK = ['kms:CreateGrant', 'kms:DescribeKey'];

/**
 * The IAM actions that each call of the SDK needs, `service Command`. Where one file's use of a call needs less, it has a row of
 * its own, `service Command file`.
 */
export const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  's3 HeadObject': ['s3:GetObject'],
  's3 GetObject': READ,
  's3 ListObjectsV2': ['s3:ListBucket'],
  's3 PutObject': WRITE,
  's3 Upload': [...PARTS, 's3:AbortMultipartUpload'],
  's3 CreateMultipartUpload': PARTS,
  's3 UploadPartCopy': [...PARTS, ...READ],
  's3 CompleteMultipartUpload': PARTS,
  's3 AbortMultipartUpload': ['s3:AbortMultipartUpload'],
  's3 CopyObject': [...READ, ...WRITE, 's3:GetObjectTagging'],
  's3 DeleteObjects': ['s3:DeleteObject'],

  'kms GenerateDataKey': ['kms:GenerateDataKey'],
  'kms Decrypt': ['kms:Decrypt'],
  'kms DescribeKey': ['kms:DescribeKey'],
  'kms ListResourceTags': ['kms:ListResourceTags'],
  'kms ListAliases': ['kms:ListAliases'],
  'kms ScheduleKeyDeletion': ['kms:ScheduleKeyDeletion'],

  'sagemaker CreateProcessingJob': [
    ...['sagemaker:CreateProcessingJob', 'sagemaker:AddTags', 'iam:PassRole'],
    ...JOB_DISK,
  ],
  'sagemaker DescribeProcessingJob': ['sagemaker:DescribeProcessingJob'],
  'sagemaker StopProcessingJob': ['sagemaker:StopProcessingJob'],
  'sagemaker ListProcessingJobs': ['sagemaker:ListProcessingJobs'],
  'sagemaker ListTags': ['sagemaker:ListTags'],
  'sagemaker CreateFeatureGroup': [
    ...['sagemaker:CreateFeatureGroup', 'sagemaker:AddTags', 'iam:PassRole'],
    ...['glue:CreateDatabase', 'glue:CreateTable', 'glue:GetDatabase', 'glue:GetTable'],
    ...JOB_DISK,
  ],
  'sagemaker DescribeFeatureGroup': ['sagemaker:DescribeFeatureGroup'],
  'sagemaker DeleteFeatureGroup': ['sagemaker:DeleteFeatureGroup'],
  'sagemaker ListFeatureGroups': ['sagemaker:ListFeatureGroups'],
  'sagemaker-featurestore-runtime BatchWriteRecord': ['sagemaker:BatchWriteRecord'],
  'sagemaker-featurestore-runtime PutRecord': ['sagemaker:PutRecord'],
  'sagemaker-featurestore-runtime DeleteRecord': ['sagemaker:DeleteRecord'],

  'athena StartQueryExecution': [
    ...['athena:StartQueryExecution', 'glue:GetDatabase', 'glue:GetTable', 'glue:GetPartitions'],
    ...['s3:GetBucketLocation', 's3:ListBucket', 's3:AbortMultipartUpload', ...READ, ...PARTS],
    ...['s3:ListBucketMultipartUploads', 's3:ListMultipartUploadParts'],
  ],
  'athena GetQueryExecution': ['athena:GetQueryExecution'],
  'athena GetQueryResults': ['athena:GetQueryResults', 's3:GetObject'],
  'athena StopQueryExecution': ['athena:StopQueryExecution'],
  'athena GetWorkGroup': ['athena:GetWorkGroup'],

  'ec2 RunInstances': [
    ...['ec2:RunInstances', 'ec2:CreateTags', 'iam:PassRole'],
    ...['kms:CreateGrant', 'kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKeyWithoutPlaintext'],
    ...['kms:ReEncryptFrom', 'kms:ReEncryptTo'],
  ],
  // A dry run: no disk is made.
  'ec2 RunInstances src/adapters/aws/account/machines.ts': ['ec2:RunInstances', 'ec2:CreateTags', 'iam:PassRole'],
  'ec2 DescribeInstances': ['ec2:DescribeInstances'],
  'ec2 TerminateInstances': ['ec2:TerminateInstances'],
  'ec2 DescribeImages': ['ec2:DescribeImages'],
  'ec2 DescribeInstanceTypeOfferings': ['ec2:DescribeInstanceTypeOfferings'],
  'ec2 DescribeSubnets': ['ec2:DescribeSubnets'],
  'ec2 DescribeRouteTables': ['ec2:DescribeRouteTables'],
  'ec2 DescribeSecurityGroups': ['ec2:DescribeSecurityGroups'],
  'ec2 DescribeVpcEndpoints': ['ec2:DescribeVpcEndpoints'],

  'ssm SendCommand': ['ssm:SendCommand'],
  'ssm GetCommandInvocation': ['ssm:GetCommandInvocation'],
  'ssm ListCommandInvocations': ['ssm:ListCommandInvocations'],
  'ssm CancelCommand': ['ssm:CancelCommand'],
  'ssm DescribeInstanceInformation': ['ssm:DescribeInstanceInformation'],
  'ssm GetParameter': ['ssm:GetParameter'],
  'ssm DescribeParameters': ['ssm:DescribeParameters'],

  'secrets-manager DescribeSecret': ['secretsmanager:DescribeSecret'],

  'ecr DescribeImages': ['ecr:DescribeImages'],
  'ecr DescribeRepositories': ['ecr:DescribeRepositories'],
  'ecr ListTagsForResource': ['ecr:ListTagsForResource'],
  'ecr BatchDeleteImage': ['ecr:BatchDeleteImage'],

  'service-quotas ListServiceQuotas': ['servicequotas:ListServiceQuotas'],
  'service-quotas ListAWSDefaultServiceQuotas': ['servicequotas:ListAWSDefaultServiceQuotas'],
  'sts GetCallerIdentity': ['sts:GetCallerIdentity'],
};

/** The same for the AWS CLI in the script of a DRAGEN machine; by the place of the licence where it is that. */
export const CLI_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  's3 cp': [
    ...['s3:GetObject', 's3:ListBucket', 's3:PutObject', 's3:AbortMultipartUpload'],
    ...['kms:Decrypt', 'kms:GenerateDataKey'],
  ],
  's3 ls': ['s3:ListBucket'],
  'secretsmanager get-secret-value': ['secretsmanager:GetSecretValue'],
  'ssm get-parameter': ['ssm:GetParameter'],
};

/** What the agent of Systems Manager does to run commands on a machine. */
export const AGENT_ACTIONS: readonly string[] = [
  'ssm:UpdateInstanceInformation',
  ...['CreateControlChannel', 'CreateDataChannel', 'OpenControlChannel', 'OpenDataChannel'].map(
    (name) => `ssmmessages:${name}`,
  ),
  ...['AcknowledgeMessage', 'DeleteMessage', 'FailMessage', 'GetEndpoint', 'GetMessages', 'SendReply'].map(
    (name) => `ec2messages:${name}`,
  ),
];
