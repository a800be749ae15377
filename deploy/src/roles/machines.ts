import { Aws, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { arn, type Grounds } from './grounds.js';

/** The tag that every machine of ours has from its first moment on. */
const TAG = 'cohortflow:work';

/** Machines that may be launched: with our tag, in our subnets and group, with the one role. */
export function launchMachines(grounds: Grounds): readonly PolicyStatement[] {
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
      conditions: {
        StringLike: { [`aws:RequestTag/${TAG}`]: '*' },
        StringEquals: { 'ec2:MetadataHttpTokens': 'required' },
      },
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

/** Their disks are encrypted by EC2 on our behalf. */
export function keyForVolumes({ scope, settings, key }: Grounds): readonly PolicyStatement[] {
  if (settings.dragen === undefined) return [];
  return [
    new PolicyStatement({
      sid: 'KeyForVolumes',
      actions: ['kms:GenerateDataKeyWithoutPlaintext'],
      resources: [key.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `ec2.${Stack.of(scope).region}.${Aws.URL_SUFFIX}` } },
    }),
  ];
}

/** Finds machines, and ends those with our tag. */
export function endMachines(grounds: Grounds): readonly PolicyStatement[] {
  if (grounds.settings.dragen === undefined) return [];
  return [
    new PolicyStatement({ sid: 'FindMachines', actions: ['ec2:DescribeInstances'], resources: ['*'] }),
    new PolicyStatement({
      sid: 'EndMachines',
      actions: ['ec2:TerminateInstances'],
      resources: [arn(grounds, 'ec2', 'instance/*')],
      conditions: { StringLike: { [`ec2:ResourceTag/${TAG}`]: '*' } },
    }),
  ];
}

/** Runs the shell script of a sample on machines with our tag, by Systems Manager. */
export function commandMachines(grounds: Grounds): readonly PolicyStatement[] {
  const { scope, settings } = grounds;
  if (settings.dragen === undefined) return [];
  const { region } = Stack.of(scope);
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
      conditions: { StringLike: { [`ssm:resourceTag/${TAG}`]: '*' } },
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
