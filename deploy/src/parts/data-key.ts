import { Aws, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AnyPrincipal, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Alias, Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/** Services that use the key for what they keep of ours, and the condition that makes it ours. */
function allowServices(key: Key, name: string): void {
  const { region } = Stack.of(key);
  const logGroups = `arn:${Aws.PARTITION}:logs:${region}:${Aws.ACCOUNT_ID}:log-group:/${name}/*`;
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'LogGroups',
      principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      resources: ['*'],
      conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': logGroups } },
    }),
  );
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'Alarms',
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com'), new ServicePrincipal('events.amazonaws.com')],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }),
  );
}

/**
 * Spot machines are started by a role of EC2's own, which may use no key. A condition names it: a policy cannot name a role
 * that the account does not have yet.
 */
function allowSpot(key: Key): void {
  const role = 'role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot';
  const theirs = {
    'aws:PrincipalArn': `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:${role}`,
    'kms:CallerAccount': Aws.ACCOUNT_ID,
  };
  const principals = [new AnyPrincipal()];
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'SpotDisks',
      principals,
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
      resources: ['*'],
      conditions: { StringEquals: theirs },
    }),
  );
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'SpotDisksOfMachines',
      principals,
      actions: ['kms:CreateGrant'],
      resources: ['*'],
      conditions: { StringEquals: theirs, Bool: { 'kms:GrantIsForAWSResource': 'true' } },
    }),
  );
}

/** The one key of an installation: objects, disks, logs, payloads of workflows. It stays when the stack goes. */
export function dataKey(scope: Construct, name: string, spot: boolean): Key {
  const key = new Key(scope, 'Key', {
    description: `${name}: objects, disks, logs and workflow payloads`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  new Alias(scope, 'KeyAlias', { aliasName: `alias/${name}`, targetKey: key });
  allowServices(key, name);
  if (spot) allowSpot(key);
  return key;
}
