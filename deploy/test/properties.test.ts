import { describe, expect, it } from 'vitest';
import {
  containerOf,
  FULL,
  PLAIN,
  resourcesOf,
  templatesOf,
  WITH_NAT,
  type Resource,
  type Templates,
} from './support/templates.js';
import { rendered } from './support/rendered.js';
import type { Statement } from './support/statements.js';

const INSTALLATIONS: readonly (readonly [string, Templates])[] = [
  ['the least', templatesOf(PLAIN)],
  ['everything', templatesOf(FULL)],
  ['a NAT gateway', templatesOf(WITH_NAT)],
];

const text = (value: unknown): string => JSON.stringify(value);
const each = (templates: Templates, type: string): readonly (readonly [string, Resource])[] => {
  const found = [...resourcesOf(templates, type)];
  expect(found.length, `no ${type} at all`).toBeGreaterThan(0);
  return found;
};

describe.each(INSTALLATIONS)('an installation with %s', (_, templates) => {
  it('has buckets that are versioned, encrypted, never public, reached by TLS only, and kept', () => {
    const policies = [...resourcesOf(templates, 'AWS::S3::BucketPolicy').values()];
    for (const [id, { Properties, DeletionPolicy }] of each(templates, 'AWS::S3::Bucket')) {
      expect(Properties['VersioningConfiguration'], id).toEqual({ Status: 'Enabled' });
      expect(Properties['PublicAccessBlockConfiguration'], id).toEqual({
        ...{ BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
      });
      expect(text(Properties['BucketEncryption']), id).toMatch(/aws:kms|AES256/);
      expect(DeletionPolicy, id).toBe('Retain');
      const own = policies.find(({ Properties: { Bucket } }) => text(Bucket) === text({ Ref: id.split('/')[1] }));
      const policy = own?.Properties['PolicyDocument'] as { readonly Statement: readonly Statement[] };
      const denied = policy.Statement.filter(
        ({ Effect, Condition }) =>
          Effect === 'Deny' && /"aws:SecureTransport":"false"|s3:TlsVersion/.test(text(Condition)),
      );
      expect(denied, id).toHaveLength(2);
    }
  });

  it('keeps data under a key of its own, which is turned and stays', () => {
    const [[, key]] = each(templates, 'AWS::KMS::Key') as [readonly [string, Resource]];
    expect(key.Properties['EnableKeyRotation']).toBe(true);
    expect(key.DeletionPolicy).toBe('Retain');
    const encrypted = each(templates, 'AWS::S3::Bucket').filter(([, { Properties }]) =>
      text(Properties['BucketEncryption']).includes('aws:kms'),
    );
    expect(encrypted.map(([id]) => id.replace(/[0-9A-F]{8}$/, ''))).toEqual(['data/Inputs', 'data/Results']);
  });

  it('writes down who reads and writes which object', () => {
    const [[, trail]] = each(templates, 'AWS::CloudTrail::Trail') as [readonly [string, Resource]];
    expect(trail.Properties).toMatchObject({ EnableLogFileValidation: true, IsLogging: true });
    const [selector] = trail.Properties['EventSelectors'] as readonly [
      { readonly ReadWriteType?: string; readonly DataResources: readonly { readonly Values: readonly unknown[] }[] },
    ];
    expect(selector.ReadWriteType ?? 'All').toBe('All');
    expect(selector.DataResources[0]?.Values).toHaveLength(2);
    expect(text(selector.DataResources)).toMatch(/Inputs.*Results/);
  });

  it('gives nothing a public address, and lets nothing in but calls to the endpoints', () => {
    for (const [id, { Properties }] of each(templates, 'AWS::ECS::Service')) {
      expect(text(Properties['NetworkConfiguration']), id).toMatch(/"AssignPublicIp":"DISABLED"/);
    }
    for (const [id, { Properties }] of each(templates, 'AWS::EC2::Subnet')) {
      expect(Properties['MapPublicIpOnLaunch'], id).toBe(false);
    }
    for (const [id, { Properties }] of each(templates, 'AWS::EC2::SecurityGroup')) {
      expect(Properties['SecurityGroupIngress'], id).toBeUndefined();
      const rules = (Properties['SecurityGroupEgress'] ?? []) as readonly { CidrIp?: string; ToPort: number }[];
      for (const rule of rules) {
        if (rule.CidrIp === '0.0.0.0/0') expect([443, 7233], id).toContain(rule.ToPort);
      }
    }
    const ingress = [...resourcesOf(templates, 'AWS::EC2::SecurityGroupIngress').values()];
    for (const { Properties } of ingress) {
      expect(text(Properties['GroupId'])).toMatch(/Endpoints/);
      expect(Properties['CidrIp']).toBeUndefined();
    }
  });

  it('runs tasks of an image by digest that can write to two folders and have 120 s to end', () => {
    for (const [id, task] of each(templates, 'AWS::ECS::TaskDefinition')) {
      const container = containerOf(task);
      expect(text(container.Image), id).toMatch(/@sha256:a{64}/);
      expect(container, id).toMatchObject({
        StopTimeout: 120,
        ReadonlyRootFilesystem: true,
        User: 'node',
        Privileged: false,
      });
      expect(container.MountPoints.map(({ ContainerPath }) => ContainerPath)).toEqual(['/var/lib/cohortflow', '/tmp']);
      expect(container.LogConfiguration.LogDriver, id).toBe('awslogs');
      if (container.Command[0] === 'worker')
        expect(text(container.HealthCheck), id).toMatch(/127\.0\.0\.1:8080\/healthz/);
    }
  });

  it('has no secret in a template: they come from Secrets Manager when a task starts', () => {
    for (const [id, task] of each(templates, 'AWS::ECS::TaskDefinition')) {
      const { Environment, Secrets = [] } = containerOf(task);
      for (const { Name } of Environment) expect(Name, id).not.toMatch(/API_KEY|KEY_DATA|CERT_DATA|TOKEN|PASSWORD/);
      for (const { ValueFrom } of Secrets) expect(text(ValueFrom), id).toMatch(/secretsmanager/);
    }
  });

  it('encrypts payloads and refuses to run without', () => {
    for (const [id, task] of each(templates, 'AWS::ECS::TaskDefinition')) {
      const names = containerOf(task).Environment.map(({ Name }) => Name);
      expect(names, id).toEqual(
        expect.arrayContaining(['COHORTFLOW_ENCRYPTION_KMS_KEY', 'COHORTFLOW_REQUIRE_ENCRYPTION', 'COHORTFLOW_AWS']),
      );
    }
  });

  it('keeps every log for as long as is said, under the key', () => {
    for (const [id, { Properties, DeletionPolicy }] of each(templates, 'AWS::Logs::LogGroup')) {
      expect(Properties['RetentionInDays'], id).toBe(90);
      expect(Properties['KmsKeyId'], id).toBeDefined();
      expect(DeletionPolicy, id).toBe('Retain');
      // What is kept under its name cannot be made again: it must not be in a stack that comes and goes.
      expect(id).toMatch(/^data\//);
    }
  });

  it('keeps nothing that would be in the way when the stacks that cost by the hour are made again', () => {
    const kept = Object.entries({ network: templates.network, work: templates.work }).flatMap(
      ([stack, { Resources }]) =>
        Object.entries(Resources)
          .filter(([, { DeletionPolicy }]) => DeletionPolicy !== undefined && DeletionPolicy !== 'Delete')
          .map(([id]) => `${stack}/${id}`),
    );
    expect(kept).toEqual([]);
  });

  it('takes an image once under a tag, looks through it, and keeps it', () => {
    const [[, repository]] = each(templates, 'AWS::ECR::Repository') as [readonly [string, Resource]];
    expect(repository.Properties).toMatchObject({
      ImageTagMutability: 'IMMUTABLE',
      ImageScanningConfiguration: { ScanOnPush: true },
    });
    expect(repository.DeletionPolicy).toBe('Retain');
  });

  it('scales each role, replaces workflow workers one version at a time, and sends every alarm to one topic', () => {
    const services = each(templates, 'AWS::ECS::Service').map(([, { Properties }]) => Properties);
    const orchestration = services.find(({ ServiceName }) => String(ServiceName).endsWith('-orchestration'));
    expect(orchestration?.['DeploymentConfiguration']).toMatchObject({ MinimumHealthyPercent: 0, MaximumPercent: 100 });
    expect(each(templates, 'AWS::ApplicationAutoScaling::ScalingPolicy')).toHaveLength(services.length);
    for (const service of services) expect(service).not.toHaveProperty('DesiredCount');
    const targets = each(templates, 'AWS::ApplicationAutoScaling::ScalableTarget');
    expect(targets.map(([, { Properties }]) => Properties['MinCapacity'])).toEqual([1, 1, 1]);
    for (const [id, { Properties }] of each(templates, 'AWS::CloudWatch::Alarm')) {
      expect(text(Properties['AlarmActions']), id).toMatch(/Alarms/);
    }
  });

  it('is tagged with its name throughout', () => {
    for (const type of [
      'AWS::S3::Bucket',
      'AWS::EC2::VPC',
      'AWS::ECS::Cluster',
      'AWS::KMS::Key',
      'AWS::ECR::Repository',
    ]) {
      for (const [id, { Properties }] of each(templates, type)) {
        expect(text(Properties['Tags']), id).toMatch(/cohortflow:installation/);
      }
    }
  });
});

// What IAM takes of a managed policy, blanks not counted; CDK parts those of roles by itself, and not these.
it.each([FULL, WITH_NAT])('policies for people are small enough, whatever the installation is called', (settings) => {
  const longest = { ...settings, name: 'cohortflow-abcdefghijklmno' };
  for (const [id, { Properties }] of resourcesOf(templatesOf(longest), 'AWS::IAM::ManagedPolicy')) {
    expect(JSON.stringify(rendered(Properties['PolicyDocument'])).length, id).toBeLessThan(6144);
  }
});

describe('the network', () => {
  const services = (templates: Templates): string[] =>
    [...resourcesOf(templates, 'AWS::EC2::VPCEndpoint').values()]
      .map(({ Properties }) =>
        text(Properties['ServiceName'])
          .replace(/.*\.(?=[a-z])/, '')
          .replace(/\W+$/, ''),
      )
      .sort();

  it('has no way out but endpoints, and those of DRAGEN only where it is used', () => {
    const plain = templatesOf(PLAIN);
    for (const type of ['AWS::EC2::NatGateway', 'AWS::EC2::InternetGateway']) {
      expect(resourcesOf(plain, type).size, type).toBe(0);
    }
    expect(services(plain)).toEqual(['api', 'api', 'dkr', 'featurestore-runtime', 'kms', 'logs', 's3']);
    expect(services(templatesOf(FULL))).toEqual(
      expect.arrayContaining(['ec2', 'ssm', 'ssmmessages', 'ec2messages', 'secretsmanager']),
    );
  });

  it('has one gateway and the free endpoint of S3 where the settings ask for a way out', () => {
    const nat = templatesOf(WITH_NAT);
    expect(resourcesOf(nat, 'AWS::EC2::NatGateway').size).toBe(1);
    expect(services(nat)).toEqual(['s3']);
  });

  it('reaches Temporal Cloud by a private link under the name of its certificate', () => {
    const [first] = [...resourcesOf(templatesOf(FULL), 'AWS::ECS::TaskDefinition').values()] as [Resource];
    const environment = new Map(containerOf(first).Environment.map(({ Name, Value }) => [Name, Value]));
    expect(environment.get('TEMPORAL_TLS_SERVER_NAME')).toBe('trial.a1b2c.tmprl.cloud');
    expect(text(environment.get('TEMPORAL_ADDRESS'))).toMatch(/Temporal.*:7233/);
  });
});

describe('spending', () => {
  it('is watched by a budget when there is somebody to tell', () => {
    expect(resourcesOf(templatesOf(FULL), 'AWS::Budgets::Budget').size).toBe(1);
    expect(resourcesOf(templatesOf(PLAIN), 'AWS::Budgets::Budget').size).toBe(0);
  });

  it('ends what is forgotten every hour, or never when the settings say so', () => {
    const rules = (settings: unknown): string =>
      text(
        [...resourcesOf(templatesOf(settings), 'AWS::Events::Rule').values()].map(
          ({ Properties }): unknown => Properties['ScheduleExpression'],
        ),
      );
    expect(rules(PLAIN)).toMatch(/rate\(1 hour\)/);
    expect(rules({ ...PLAIN, sweepMinutes: 0 })).not.toMatch(/rate/);
  });

  it('tells somebody when a sweep fails or does not start', () => {
    const of = (settings: unknown): readonly Resource[] =>
      [...resourcesOf(templatesOf(settings), 'AWS::Events::Rule').values()].filter(({ Properties }) =>
        text(Properties['EventPattern'] ?? '').includes('"family:'),
      );
    const [rule, ...others] = of(PLAIN);
    expect(others).toEqual([]);
    const families = [...resourcesOf(templatesOf(PLAIN), 'AWS::ECS::TaskDefinition').values()].map(
      ({ Properties }) => Properties['Family'],
    );
    const { detail } = rule?.Properties['EventPattern'] as {
      detail: { readonly group: readonly string[]; readonly $or: unknown };
    };
    expect(detail.group).toEqual(['family:cohortflow-sweep']);
    expect(families).toContain('cohortflow-sweep');
    expect(detail.$or).toEqual([
      { containers: { exitCode: [{ 'anything-but': [0] }] } },
      { stopCode: ['TaskFailedToStart'] },
    ]);
    expect(text(rule?.Properties['Targets'])).toMatch(/Alarms/);
    expect(of({ ...PLAIN, sweepMinutes: 0 })).toEqual([]);
  });
});
