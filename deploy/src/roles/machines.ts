import { Aws, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { arn, type Grounds } from './grounds.js';
import { keyForObjects } from './storage.js';

/**
 * The tag that every machine has from its first moment on, one sample's or of a pool: the namespace of Temporal whose work it
 * does. So those of another installation in the account are not ours to end or to command.
 */
const tagOf = ({ settings }: Grounds): readonly [name: string, value: string] => [
  'cohortflow:namespace',
  settings.temporal?.namespace ?? 'default',
];

/** Where hash tables are kept in the bucket of results, and below them whose the machines of a pool are. */
export const TABLES_FOLDER = 'dragen/hash-table';
const POOL_FOLDER = `${TABLES_FOLDER}/machines`;

/** The tag of `cohortflow doctor`'s trial, which starts nothing. */
const TRIAL = ['cohortflow:work', 'trial'] as const;

/** Machines that workers may launch: with our tag, in our subnets and group, with the one role. */
export const launchMachines = (grounds: Grounds): readonly PolicyStatement[] => launches(grounds, tagOf(grounds));

/** The same for the trial of people: whether one may launch shows in no other way. */
export const tryLaunch = (grounds: Grounds): readonly PolicyStatement[] => launches(grounds, TRIAL);

function launches(grounds: Grounds, [tag, value]: readonly [string, string]): readonly PolicyStatement[] {
  const { scope, settings, machinesRole, subnetIds, machinesGroupId } = grounds;
  if (settings.dragen === undefined || machinesRole === undefined) return [];
  const { region } = Stack.of(scope);
  const made = ['instance/*', 'volume/*', 'network-interface/*', 'spot-instances-request/*'];
  const used = [`security-group/${machinesGroupId}`, ...subnetIds.map((id) => `subnet/${id}`)];
  const images = `arn:${Aws.PARTITION}:ec2:${region}::image/${settings.dragen.ami ?? '*'}`;
  return [
    new PolicyStatement({
      sid: 'LaunchTagged',
      actions: ['ec2:RunInstances'],
      resources: [arn(grounds, 'ec2', 'instance/*')],
      conditions: { StringEquals: { [`aws:RequestTag/${tag}`]: value, 'ec2:MetadataHttpTokens': 'required' } },
    }),
    new PolicyStatement({
      sid: 'LaunchWith',
      actions: ['ec2:RunInstances'],
      resources: [...made.slice(1), ...used].map((resource) => arn(grounds, 'ec2', resource)).concat(images),
    }),
    new PolicyStatement({
      sid: 'TagAtLaunch',
      actions: ['ec2:CreateTags'],
      resources: made.map((resource) => arn(grounds, 'ec2', resource)),
      conditions: { StringEquals: { 'ec2:CreateAction': 'RunInstances' } },
    }),
    new PolicyStatement({
      sid: 'PassMachinesRole',
      actions: ['iam:PassRole'],
      resources: [machinesRole.roleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
    }),
  ];
}

/** Their disks are encrypted by EC2 on our behalf: what the guide of EBS asks of whoever launches. */
export function keyForVolumes({ scope, settings, key }: Grounds): readonly PolicyStatement[] {
  if (settings.dragen === undefined) return [];
  return [
    new PolicyStatement({
      sid: 'KeyForVolumes',
      actions: ['kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
      resources: [key.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `ec2.${Stack.of(scope).region}.${Aws.URL_SUFFIX}` } },
    }),
  ];
}

/** Finds machines, and ends those with our tag. */
export function endMachines(grounds: Grounds): readonly PolicyStatement[] {
  if (grounds.settings.dragen === undefined) return [];
  const [tag, value] = tagOf(grounds);
  return [
    new PolicyStatement({ sid: 'FindMachines', actions: ['ec2:DescribeInstances'], resources: ['*'] }),
    new PolicyStatement({
      sid: 'EndMachines',
      actions: ['ec2:TerminateInstances'],
      resources: [arn(grounds, 'ec2', 'instance/*')],
      conditions: { StringEquals: { [`ec2:ResourceTag/${tag}`]: value } },
    }),
  ];
}

/** Reads and forgets whose the machines of a pool are, which stands in S3. */
export function freeMachines(grounds: Grounds): readonly PolicyStatement[] {
  const { results, settings } = grounds;
  if (settings.dragen?.instances === undefined) return [];
  return [
    new PolicyStatement({
      sid: 'ListPool',
      actions: ['s3:ListBucket'],
      resources: [results.bucketArn],
      conditions: { StringLike: { 's3:prefix': `${POOL_FOLDER}/*` } },
    }),
    new PolicyStatement({
      sid: 'Pool',
      actions: ['s3:GetObject', 's3:DeleteObject'],
      resources: [`${results.bucketArn}/${POOL_FOLDER}/*`],
    }),
    keyForObjects(grounds, ['kms:Decrypt']),
  ];
}

/** Runs the shell script of a sample on machines with our tag, by Systems Manager. */
export function commandMachines(grounds: Grounds): readonly PolicyStatement[] {
  const { scope, settings } = grounds;
  if (settings.dragen === undefined) return [];
  const { region } = Stack.of(scope);
  const [tag, value] = tagOf(grounds);
  return [
    new PolicyStatement({
      sid: 'SendScript',
      actions: ['ssm:SendCommand'],
      resources: [`arn:${Aws.PARTITION}:ssm:${region}::document/AWS-RunShellScript`],
    }),
    new PolicyStatement({
      sid: 'SendToMachines',
      actions: ['ssm:SendCommand'],
      resources: [arn(grounds, 'ec2', 'instance/*')],
      conditions: { StringEquals: { [`ssm:resourceTag/${tag}`]: value } },
    }),
    new PolicyStatement({
      sid: 'FollowScript',
      actions: [...['ssm:DescribeInstanceInformation', 'ssm:GetCommandInvocation', 'ssm:ListCommandInvocations']],
      resources: ['*'],
    }),
  ];
}

/** Which image is the newest, and what its root device is. */
export function machineImages({ scope, settings }: Grounds): readonly PolicyStatement[] {
  if (settings.dragen === undefined) return [];
  const resources = [`arn:${Aws.PARTITION}:ssm:${Stack.of(scope).region}::parameter/aws/service/*`];
  return [
    new PolicyStatement({ sid: 'PublicParameters', actions: ['ssm:GetParameter'], resources }),
    new PolicyStatement({ sid: 'LookAtMachineImages', actions: ['ec2:DescribeImages'], resources: ['*'] }),
  ];
}
