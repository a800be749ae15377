import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { isSecret, type Grounds } from './grounds.js';

/** What `cohortflow doctor` looks at besides what a run uses anyway. */
export function looks({ key, repositoryArn, settings }: Grounds): readonly PolicyStatement[] {
  return [
    new PolicyStatement({ sid: 'WhoAmI', actions: ['sts:GetCallerIdentity'], resources: ['*'] }),
    new PolicyStatement({
      sid: 'LookAtNetwork',
      actions: [
        ...['ec2:DescribeSubnets', 'ec2:DescribeRouteTables', 'ec2:DescribeSecurityGroups'],
        'ec2:DescribeVpcEndpoints',
      ],
      resources: ['*'],
    }),
    new PolicyStatement({
      sid: 'TryKey',
      actions: ['kms:DescribeKey', 'kms:GenerateDataKey'],
      resources: [key.keyArn],
    }),
    new PolicyStatement({ sid: 'LookAtImage', actions: ['ecr:DescribeImages'], resources: [repositoryArn] }),
    ...(settings.dragen === undefined
      ? []
      : [
          new PolicyStatement({
            sid: 'LookAtMachines',
            actions: ['ec2:DescribeImages', 'ec2:DescribeInstanceTypeOfferings', 'ssm:DescribeParameters'],
            resources: ['*'],
          }),
          ...lookAtLicence(settings.dragen.licence),
        ]),
  ];
}

/** Whether the licence is there, where it is a secret: its value is for the machines alone. */
function lookAtLicence(licence: string | undefined): readonly PolicyStatement[] {
  if (licence === undefined || !isSecret(licence)) return [];
  return [
    new PolicyStatement({ sid: 'LookAtLicence', actions: ['secretsmanager:DescribeSecret'], resources: [licence] }),
  ];
}

/** What `cohortflow clean --infra` removes besides jobs and machines: images, and the key after its waiting time. */
export function cleanInfra({ key, repositoryArn }: Grounds): readonly PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'RemoveImages',
      actions: [
        ...['ecr:DescribeRepositories', 'ecr:ListTagsForResource', 'ecr:DescribeImages'],
        'ecr:BatchDeleteImage',
      ],
      resources: [repositoryArn],
    }),
    new PolicyStatement({
      sid: 'RetireKey',
      actions: ['kms:DescribeKey', 'kms:ListResourceTags', 'kms:ScheduleKeyDeletion'],
      resources: [key.keyArn],
    }),
    new PolicyStatement({ sid: 'FindKey', actions: ['kms:ListAliases'], resources: ['*'] }),
  ];
}
