import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { choicesOf, machineRequest } from '../../src/adapters/aws/dragen/machine-request.js';
import { POOL_TAG } from '../../src/adapters/aws/dragen/pool.js';
import { jobSpec } from '../../src/adapters/aws/sagemaker/job-spec.js';
import type { AwsSettings } from '../../src/config/aws-settings.js';
import { GROUPS } from '../../src/domain/feature-table/group-schema.js';
import { storeGroupName } from '../../src/domain/feature-table/store-form.js';
import { dragenMachine } from '../../src/domain/genomics/dragen/index.js';
import { allows, type Question } from './support/evaluate.js';
import { rendered } from './support/rendered.js';
import { statementsOf, type Statement } from './support/statements.js';
import { FULL, PLAIN, resourcesOf, templatesOf } from './support/templates.js';

const templates = templatesOf(FULL);
const by = (description: string): readonly Statement[] =>
  statementsOf(templates, new RegExp(`^cohortflow ${description}`));
const io = by('io$');
const operator = by('on the command line: run');
const { aws: settings } = parse(rendered(templates.work.Outputs?.['Settings']?.Value) as string) as {
  aws: AwsSettings;
};

const ec2 = (resource: string, account = '111122223333'): string => `arn:aws:ec2:eu-central-1:${account}:${resource}`;
const { namespace } = FULL.temporal;
/** As activities tag what they give away. */
const sample = {
  'cohortflow:work': 'cohortflow-1a2b',
  'cohortflow:workflow': 'cohort/genomics/R01-001',
  'cohortflow:namespace': namespace,
};
/** As the executor tags a machine that no single sample has. */
const pooled = { 'cohortflow:namespace': namespace, [POOL_TAG]: '0123456789abcdef' };

/** All that IAM is asked when the product starts a machine: one question for each resource. */
function launchQuestions(tags: Readonly<Record<string, string>>): readonly Question[] {
  const machine = dragenMachine(settings);
  const [choice] = choicesOf(machine, settings);
  const request = machineRequest({ id: 'ami-1', rootDevice: '/dev/sda1' }, choice!, machine, tags, 'token', settings);
  const kinds = new Map(
    (request.TagSpecifications ?? []).map(({ ResourceType = '', Tags = [] }) => [String(ResourceType), Tags]),
  );
  const made = [
    'instance',
    'volume',
    'network-interface',
    ...(request.InstanceMarketOptions ? ['spot-instances-request'] : []),
  ];
  const run = (resource: string, context: Readonly<Record<string, string>> = {}): Question => ({
    action: 'ec2:RunInstances',
    resource,
    context,
  });
  const requested = (kind: string): Record<string, string> =>
    Object.fromEntries((kinds.get(kind) ?? []).map(({ Key = '', Value = '' }) => [`aws:RequestTag/${Key}`, Value]));
  return [
    ...made.map((kind) =>
      run(ec2(`${kind}/*`), {
        ...requested(kind),
        ...(kind === 'instance' ? { 'ec2:MetadataHttpTokens': request.MetadataOptions?.HttpTokens ?? 'optional' } : {}),
      }),
    ),
    run('arn:aws:ec2:eu-central-1::image/ami-1'),
    run(ec2(`subnet/${request.SubnetId ?? ''}`)),
    ...(request.SecurityGroupIds ?? []).map((id) => run(ec2(`security-group/${id}`))),
    ...[...kinds.keys()].map((kind) => ({
      action: 'ec2:CreateTags',
      resource: ec2(`${kind}/i-1`),
      context: { ...requested(kind), 'ec2:CreateAction': 'RunInstances' },
    })),
  ];
}

const refused = (statements: readonly Statement[], questions: readonly Question[]): readonly string[] =>
  questions.filter((question) => !allows(statements, question)).map(({ action, resource }) => `${action} ${resource}`);

describe('the machines that workers ask for', () => {
  it.each([
    ['of one sample', sample],
    ['of a pool', pooled],
  ])('%s may be started, spot, with disks, tags and all', (_, tags) => {
    const questions = launchQuestions(tags);
    expect(questions.map(({ resource }) => resource)).toContain(ec2('spot-instances-request/*'));
    expect(questions.length).toBeGreaterThan(9);
    expect(refused(io, questions)).toEqual([]);
  });

  it('are of our namespace, in our network, with sessions for their metadata: no others are started', () => {
    expect(refused(io, launchQuestions({ ...sample, 'cohortflow:namespace': 'theirs' }))).toEqual([
      `ec2:RunInstances ${ec2('instance/*')}`,
    ]);
    const [instance] = launchQuestions(sample);
    expect(allows(io, { ...instance!, context: { ...instance!.context, 'ec2:MetadataHttpTokens': 'optional' } })).toBe(
      false,
    );
    for (const place of ['subnet/subnet-of-others', 'security-group/sg-of-others']) {
      expect(allows(io, { action: 'ec2:RunInstances', resource: ec2(place) }), place).toBe(false);
    }
  });

  it('are commanded and ended while they have the tags that they were started with, and those of others never', () => {
    const commanded = (tags: object): boolean =>
      allows(io, {
        action: 'ssm:SendCommand',
        resource: ec2('instance/i-1'),
        context: Object.fromEntries(
          Object.entries(tags).map(([name, value]) => [`ssm:resourceTag/${name}`, String(value)]),
        ),
      });
    const ended = (statements: readonly Statement[], tags: object): boolean =>
      allows(statements, {
        action: 'ec2:TerminateInstances',
        resource: ec2('instance/i-1'),
        context: Object.fromEntries(
          Object.entries(tags).map(([name, value]) => [`ec2:ResourceTag/${name}`, String(value)]),
        ),
      });
    for (const tags of [sample, pooled]) {
      expect(commanded(tags)).toBe(true);
      for (const statements of [io, by('sweep$'), operator]) expect(ended(statements, tags)).toBe(true);
    }
    const theirs = { ...sample, 'cohortflow:namespace': 'theirs' };
    expect(commanded(theirs)).toBe(false);
    expect(ended(io, theirs)).toBe(false);
    expect(
      allows(io, { action: 'ssm:SendCommand', resource: 'arn:aws:ssm:eu-central-1::document/AWS-RunShellScript' }),
    ).toBe(true);
    expect(
      allows(io, { action: 'ssm:SendCommand', resource: 'arn:aws:ssm:eu-central-1::document/AWS-RunRemoteScript' }),
    ).toBe(false);
  });

  it('are tried by people, who may start none that works', () => {
    const trial = { action: 'ec2:RunInstances', resource: ec2('instance/*') };
    const context = { 'aws:RequestTag/cohortflow:work': 'trial', 'ec2:MetadataHttpTokens': 'required' };
    expect(allows(operator, { ...trial, context })).toBe(true);
    expect(refused(operator, launchQuestions(sample))).toContain(`ec2:RunInstances ${ec2('instance/*')}`);
  });

  it('of a pool are given back by the sweep, which reads nothing else', () => {
    const [, bucket = '', folder = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(settings.dragen?.hashTable ?? '') ?? [];
    const at = (key: string): string => {
      const [place = ''] = (rendered(by('sweep$')) as Statement[]).flatMap(({ Sid, Resource }) =>
        Sid === 'Pool' ? [String(Resource)] : [],
      );
      return place.replace(/\/.*$/, `/${key}`);
    };
    expect(bucket).not.toBe('');
    for (const action of ['s3:GetObject', 's3:DeleteObject']) {
      expect(allows(by('sweep$'), { action, resource: at(`${folder}/machines/i-1`) })).toBe(true);
      expect(allows(by('sweep$'), { action, resource: at('results/run-1/dataset.csv') })).toBe(false);
    }
    const { instances: _, ...alone } = FULL.dragen;
    const without = templatesOf({ ...FULL, dragen: alone });
    expect(statementsOf(without, /^cohortflow sweep$/).some(({ Sid }) => Sid === 'Pool')).toBe(false);
  });
});

describe('the jobs that workers ask for', () => {
  const unit = { caseId: 'R01-001', source: { kind: 'dicom', folder: 's3://inputs/dicom/R01-001' } };
  const spec = jobSpec('cohortflow-1a2b', 's3://results/work/x', unit as never, sample, settings);

  it('may be started under the one role, and no others', () => {
    const job = (name: string): Question => ({
      action: 'sagemaker:CreateProcessingJob',
      resource: `arn:aws:sagemaker:eu-central-1:111122223333:processing-job/${name}`,
    });
    expect(allows(io, job(spec.ProcessingJobName ?? ''))).toBe(true);
    expect(allows(io, job('theirs'))).toBe(false);
    const pass = (resource: string, service: string): boolean =>
      allows(io, { action: 'iam:PassRole', resource, context: { 'iam:PassedToService': service } });
    expect(pass(spec.RoleArn ?? '', 'sagemaker.amazonaws.com')).toBe(true);
    expect(pass(spec.RoleArn ?? '', 'lambda.amazonaws.com')).toBe(false);
    expect(pass('some-other-role', 'sagemaker.amazonaws.com')).toBe(false);
  });

  it('find what the service looks for in their role: interfaces anywhere, the key of disks and outputs', () => {
    const jobs = by('processing jobs$');
    expect(spec.NetworkConfig?.VpcConfig).toBeDefined();
    expect(spec.ProcessingResources?.ClusterConfig?.VolumeKmsKeyId).toBeDefined();
    const interfaces = ['CreateNetworkInterface', 'CreateNetworkInterfacePermission', 'DeleteNetworkInterface'];
    for (const action of interfaces)
      expect(allows(jobs, { action: `ec2:${action}`, resource: '*' }), action).toBe(true);
    const key = settings.kmsKey ?? '';
    expect(allows(jobs, { action: 'kms:Encrypt', resource: key })).toBe(true);
    expect(
      allows(jobs, { action: 'kms:CreateGrant', resource: key, context: { 'kms:GrantIsForAWSResource': 'true' } }),
    ).toBe(true);
    expect(
      allows(jobs, { action: 'kms:CreateGrant', resource: key, context: { 'kms:GrantIsForAWSResource': 'false' } }),
    ).toBe(false);
  });
});

describe('the feature groups that workers ask for', () => {
  it('are made with their tables, by a role that may use the key and set owners of objects', () => {
    const table = 'arn:aws:glue:eu-central-1:111122223333:table/sagemaker_featurestore/cohortflow_trial_imaging';
    expect(allows(io, { action: 'glue:CreateTable', resource: table })).toBe(true);
    expect(
      allows(io, { action: 'glue:CreateTable', resource: table.replace('sagemaker_featurestore', 'theirs') }),
    ).toBe(false);
    const features = by('feature groups$');
    expect(allows(features, { action: 'kms:GenerateDataKey', resource: settings.kmsKey ?? '' })).toBe(true);
    const { offlineStore = '' } = settings.features ?? {};
    const statement = (rendered(features) as Statement[]).find(({ Sid }) => Sid === 'Write');
    expect(offlineStore.endsWith('/features')).toBe(true);
    expect(statement?.Action).toEqual(['s3:PutObject', 's3:PutObjectAcl']);
  });

  const group = (prefix: string, table: string): string =>
    `arn:aws:sagemaker:eu-central-1:111122223333:feature-group/${storeGroupName(prefix, table, 'a'.repeat(64))}`;
  const cleaner = by('on the command line: forget and clean');

  it('are made, and removed, whatever table they hold', () => {
    const { prefix = '' } = settings.features ?? {};
    for (const table of [...GROUPS, 'imaging_segments-pointer', 'imaging-part-4']) {
      const resource = group(prefix, table);
      expect(allows(io, { action: 'sagemaker:CreateFeatureGroup', resource })).toBe(true);
      expect(allows(cleaner, { action: 'sagemaker:DeleteFeatureGroup', resource })).toBe(true);
    }
  });

  it('are not those of an installation whose name begins alike', () => {
    for (const other of ['cohortflow', 'cohortflow-trial-2', 'cohortflow-trial2']) {
      const resource = group(other, 'imaging');
      expect(allows(io, { action: 'sagemaker:PutRecord', resource })).toBe(false);
      expect(allows(cleaner, { action: 'sagemaker:DeleteFeatureGroup', resource })).toBe(false);
      expect(allows(cleaner, { action: 'sagemaker:DeleteRecord', resource })).toBe(false);
    }
  });
});

describe('who may take a role, and use the key', () => {
  const trustOf = (description: string): unknown =>
    [...resourcesOf(templates, 'AWS::IAM::Role').values()].find(
      ({ Properties }) => Properties['Description'] === description,
    )?.Properties['AssumeRolePolicyDocument'];

  it('is SageMaker for this account; EC2, which names none; ECS', () => {
    const account = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } };
    for (const role of ['cohortflow processing jobs', 'cohortflow feature groups']) {
      expect(trustOf(role), role).toMatchObject({ Statement: [{ Condition: account }] });
    }
    const machines = trustOf('cohortflow DRAGEN machines') as { readonly Statement: readonly Statement[] };
    expect(machines.Statement).toHaveLength(1);
    expect(machines.Statement[0]?.Condition).toBeUndefined();
  });

  it('is EC2’s own role for spot machines, where there are any', () => {
    const policyOf = (document: unknown): readonly Statement[] => {
      const [key] = [...resourcesOf(templatesOf(document), 'AWS::KMS::Key').values()];
      return (key?.Properties['KeyPolicy'] as { readonly Statement: readonly Statement[] }).Statement;
    };
    const role = 'arn:aws:iam::111122223333:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot';
    const context = { 'kms:CallerAccount': '111122223333', 'aws:PrincipalArn': role };
    const use: Question = { action: 'kms:Decrypt', resource: '*', context };
    const spot = policyOf(FULL).filter(({ Sid = '' }) => Sid.startsWith('SpotDisks'));
    expect(allows(spot, use)).toBe(true);
    expect(allows(spot, { ...use, context: { ...context, 'aws:PrincipalArn': role.replace('Spot', 'Other') } })).toBe(
      false,
    );
    expect(policyOf(PLAIN).some(({ Sid = '' }) => Sid.startsWith('SpotDisks'))).toBe(false);
  });
});
