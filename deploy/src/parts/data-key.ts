import { Aws, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
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

/** The one key of an installation: objects, disks, logs, payloads of workflows. It stays when the stack goes. */
export function dataKey(scope: Construct, name: string): Key {
  const key = new Key(scope, 'Key', {
    description: `${name}: objects, disks, logs and workflow payloads`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  new Alias(scope, 'KeyAlias', { aliasName: `alias/${name}`, targetKey: key });
  allowServices(key, name);
  return key;
}
