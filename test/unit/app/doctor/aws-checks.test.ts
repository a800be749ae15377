import { describe, expect, it } from 'vitest';
import { wantedByProfile } from '../../../../src/app/doctor/aws/wanted.js';
import { checkProfile, lookAtAccount } from '../../../../src/app/doctor/check-profile.js';
import type { Finding } from '../../../../src/app/doctor/check.js';
import { executorLimits } from '../../../../src/app/doctor/executor-limits.js';
import type { AwsSettings } from '../../../../src/config/aws-settings.js';
import { CohortflowError } from '../../../../src/domain/errors.js';
import type { AwsAccount } from '../../../../src/ports/aws-account.js';
import { failureOf } from '../../../support/dicom/run-convert.js';
import { FakeObjects, WELL_SETTINGS, denied, quota, subjectOf, wellAccount } from '../../../support/fake-account.js';

const { signal } = new AbortController();

/** What is not well, as `state name: found | fix`. */
const faults = (findings: readonly Finding[]): string[] =>
  findings
    .filter(({ state }) => state !== 'ok')
    .map(({ name, state, found, fix }) => `${state} ${name}: ${found} | ${fix ?? ''}`);

const look = async (changes: Partial<AwsAccount>, settings: AwsSettings = WELL_SETTINGS): Promise<string[]> =>
  faults(await lookAtAccount(subjectOf(changes, settings), signal));

/** The settings above with one part changed. */
function having(part: 'sagemaker' | 'dragen' | 'features', changes: object): AwsSettings {
  return { ...WELL_SETTINGS, [part]: { ...WELL_SETTINGS[part], ...changes } };
}

describe('looking at an account', () => {
  it('finds all well where all is well, and leaves nothing behind', async () => {
    const subject = subjectOf();
    const findings = await lookAtAccount(subject, signal);
    expect(faults(findings)).toEqual([]);
    expect(findings.length).toBeGreaterThan(18);
    expect(subject.objects.written.sort()).toEqual([
      's3://features/store/probe-1',
      's3://references/tables/probe-1',
      's3://results/athena/probe-1',
      's3://work/cohortflow/probe-1',
    ]);
    expect([...subject.objects.left]).toEqual([]);
  });

  it('names neither the whole account nor the person who is signed in', async () => {
    const text = JSON.stringify(await lookAtAccount(subjectOf(), signal));
    expect(text).toContain('…9012, role cohortflow-operator');
    expect(text).not.toContain('jane');
  });

  it('asks nothing else without credentials or a Region', async () => {
    const none = () => Promise.reject(new CohortflowError('AwsCredentials', 'expired'));
    const [first, second, ...others] = await look({ identity: none });
    expect(first).toMatch(/^failed Credentials: expired \| sign in/);
    expect(second).toMatch(/^unknown All else: not looked at: KMS key, .*DRAGEN licence.* \| mend the above/);
    expect(others).toEqual([]);
    const [region, ...rest] = await look({ region: async () => undefined });
    expect(region).toBe('failed Region: nobody says which | set aws.region, or AWS_REGION');
    expect(rest).toEqual([expect.stringMatching(/^unknown All else/)]);
    const nothingElse = await lookAtAccount(subjectOf({ identity: none }, {}, {}), signal);
    expect(faults(nothingElse)).toHaveLength(1);
  });

  it('says what the profile wants and the settings lack, each with what mends it', async () => {
    const wanted = wantedByProfile({});
    expect(wanted).toEqual({ imaging: 'sagemaker', featureStore: true, athena: false });
    const findings = await lookAtAccount(subjectOf({}, {}, wanted), signal);
    const lacking = findings
      .filter(({ state }) => state === 'failed')
      .map(({ found, fix }) => `${found} | ${fix ?? ''}`);
    expect(lacking).toEqual([
      expect.stringMatching(/^not configured: aws.sagemaker.image \| build .* set aws.sagemaker.image/),
      expect.stringMatching(/^not configured: aws.sagemaker.roleArn \| create the role/),
      expect.stringMatching(/^not configured: aws.features.roleArn \| create the role/),
      expect.stringMatching(/^not configured: aws.features.offlineStore \| set it to s3:/),
    ]);
  });

  it('looks only at what is wanted', async () => {
    expect(wantedByProfile(WELL_SETTINGS)).toMatchObject({ imaging: 'sagemaker', genomics: 'dragen' });
    const findings = await lookAtAccount(subjectOf({}, {}, {}), signal);
    expect(findings.map(({ name }) => name)).toEqual(['Credentials', 'Region']);
  });

  it('calls unknown what may not be looked at, with the action, and goes on', async () => {
    const refused = (action: string) => () => Promise.reject(denied(action));
    const found = await look({
      quotas: refused('servicequotas:ListServiceQuotas'),
      key: refused('kms:DescribeKey'),
      subnets: refused('ec2:DescribeSubnets'),
      containerImage: refused('ecr:DescribeImages'),
      featureGroupCount: refused('sagemaker:ListFeatureGroups'),
      workgroup: refused('athena:GetWorkGroup'),
    });
    expect(found.length).toBe(10);
    expect(found.every((line) => line.startsWith('unknown '))).toBe(true);
    for (const action of [
      'ListServiceQuotas',
      'DescribeKey',
      'DescribeSubnets',
      'ecr:DescribeImages',
      'GetWorkGroup',
    ]) {
      expect(found.join('\n')).toContain(`${action} to whoever runs this`);
    }
  });
});

describe('quotas', () => {
  it('of 0 fail and below the width warn, each with the command that raises it', async () => {
    const few = await look({ quotas: async () => [quota('ml.r5.large for processing job usage', 8)] });
    expect(few[0]).toMatch(/^warning Quota of processing jobs: .* is 8: a run has so many at once instead of 50/);
    expect(few[0]).toContain(
      'request-service-quota-increase --service-code sagemaker --quota-code L-36 --desired-value 50',
    );
    const types = having('sagemaker', { instanceTypes: ['ml.m5.xlarge', 'ml.x9.huge'] });
    const none = await look({}, types);
    expect(none[0]).toMatch(/^failed .*"ml.m5.xlarge for processing job usage" is 0: no job can start/);
    expect(none[1]).toMatch(/^failed .*there is no quota "ml.x9.huge for processing job usage"/);
  });

  it('of F instances count vCPUs: on demand or spot, as the settings say', async () => {
    const spot = await look({}, having('dragen', { spot: true }));
    expect(spot).toEqual([expect.stringMatching(/^failed Quota of F instances: .*Spot.* is 0 vCPUs.*none can start/)]);
    const forty = await look({
      quotas: async (_service, fits) => [quota('Running On-Demand F instances', 47)].filter(({ name }) => fits(name)),
    });
    expect(forty.join('\n')).toContain('47 vCPUs: 1 × f2.6xlarge at once instead of 50');
    expect(forty.join('\n')).toContain('--desired-value 1200');
  });

  it('bound what a run may have at once', async () => {
    const account = wellAccount();
    const both = { imaging: 'sagemaker', genomics: 'dragen' } as const;
    expect(await executorLimits(account, WELL_SETTINGS, both, signal)).toMatchObject({
      imaging: { limit: 55, why: 'the quota "Number of instances across all processing jobs"' },
      genomics: { limit: 50 },
    });
    expect(await executorLimits(account, WELL_SETTINGS, { imaging: 'local' }, signal)).toEqual({});
    const two = having('dragen', { instanceTypes: ['f2.6xlarge', 'f2.48xlarge'] });
    expect((await executorLimits(account, two, both, signal)).genomics?.limit).toBe(6);
  });

  it('come with a word on volumes that no key of ours encrypts', async () => {
    const mixed = await look({}, having('sagemaker', { instanceTypes: ['ml.r5.large', 'ml.g5.xlarge'] }));
    expect(mixed.filter((line) => line.includes('Volumes'))).toEqual([
      expect.stringMatching(/^warning Volumes of the jobs: ml.g5.xlarge has disks of its own.* no volume of any type/),
    ]);
    expect((await look({})).filter((line) => line.includes('Volumes'))).toEqual([]);
    const plain = { ...having('sagemaker', { instanceTypes: ['ml.r5.large', 'ml.g5.xlarge'] }) };
    const { kmsKey: _, ...keyless } = plain as AwsSettings & { kmsKey?: string };
    expect((await look({}, keyless)).filter((line) => line.includes('Volumes'))).toEqual([]);
  });

  it('of feature groups warn before they are used up', async () => {
    expect((await look({ featureGroupCount: async () => 96 })).join()).toMatch(
      /^warning Quota of feature groups: 96 of 100/,
    );
    expect((await look({ featureGroupCount: async () => 100 })).join()).toMatch(/^failed .*100 of 100/);
  });
});

describe('the machine of DRAGEN', () => {
  const refused = (code: string, message = '') => ({
    tryLaunch: async () => ({ allowed: false, code, message }) as const,
  });

  it('needs a subscription to its image, and the fix says where', async () => {
    expect(await look(refused('OptInRequired'))).toEqual([
      expect.stringMatching(/^failed DRAGEN machine: f2.6xlarge: the image is not subscribed to \| .*Marketplace/),
    ]);
  });

  it('needs the right to start it and an instance profile that is there', async () => {
    expect((await look(refused('UnauthorizedOperation'))).join()).toMatch(/^unknown .*iam:PassRole/);
    const profile = await look(
      refused('InvalidParameterValue', 'Value (x) for parameter iamInstanceProfile.name is invalid'),
    );
    expect(profile.join()).toMatch(/^failed .*aws.dragen.instanceProfile/);
    expect((await look(refused('InvalidKeyPair', 'x'))).join()).toMatch(/^failed .*InvalidKeyPair/);
  });

  it('is offered where the subnets are', async () => {
    expect((await look({ zonesOf: async () => ['us-east-1d'] })).join()).toMatch(
      /^failed DRAGEN instance types: .*us-east-1d/,
    );
    const retired = await look({ zonesOf: async () => [] }, having('dragen', { instanceTypes: ['f1.4xlarge'] }));
    expect(retired.join()).toContain('F1 was retired');
  });

  it('needs an image that is there, ready, and no larger than its disk', async () => {
    expect((await look({ machineImage: async () => undefined })).join()).toMatch(
      /failed DRAGEN machine image: there is no image/,
    );
    expect((await look({}, having('dragen', { rootVolume: { gb: 30 } }))).join()).toContain(
      'rootVolume.gb to at least 60',
    );
    const { ami: _ami, ...bare } = WELL_SETTINGS.dragen;
    const none = await look(
      { parameter: async () => undefined },
      { ...WELL_SETTINGS, dragen: { ...bare, amiParameter: '/x' } },
    );
    expect(none.join()).toContain('there is no parameter /x');
    const unset = await look({}, { ...WELL_SETTINGS, dragen: bare });
    expect(unset.join()).toContain('failed DRAGEN machine image: none is set');
  });

  it.each(['ami', 'amiParameter'])('is asked for its image once, named by %s', async (by) => {
    const { ami: _, ...bare } = WELL_SETTINGS.dragen;
    const asked: string[] = [];
    const changes: Partial<AwsAccount> = {
      parameter: async (name) => {
        asked.push(name);
        return 'ami-1';
      },
      machineImage: async (id) => {
        asked.push(id);
        return { id, name: '', state: 'available', products: [] };
      },
    };
    const name = by === 'ami' ? { ami: 'ami-1' } : { amiParameter: '/dragen/latest' };
    expect(await look(changes, { ...WELL_SETTINGS, dragen: { ...bare, ...name } })).toEqual([]);
    expect(asked).toEqual(by === 'ami' ? ['ami-1'] : ['/dragen/latest', 'ami-1']);
  });

  it('is tried as a run would have it', async () => {
    const asked: object[] = [];
    const tryLaunch: AwsAccount['tryLaunch'] = async (trial) => {
      asked.push(trial);
      return { allowed: true };
    };
    const image = { id: 'ami-1', name: '', state: 'available', products: [], rootDevice: '/dev/xvda' };
    await look({ tryLaunch, machineImage: async () => image });
    const common = { image: WELL_SETTINGS.dragen.ami, rootDevice: '/dev/xvda', subnet: 'subnet-1' };
    expect(asked).toEqual([{ ...common, type: 'f2.6xlarge' }]);
  });

  it('of a version that takes no licence file needs none, and is refused with one', async () => {
    expect((await look({}, having('dragen', { profile: 'seed' }))).join()).toMatch(
      /^failed DRAGEN licence: the profile seed takes no licence file \| leave out aws.dragen.licence/,
    );
    const { licence: _, ...without } = WELL_SETTINGS.dragen;
    expect(await look({}, { ...WELL_SETTINGS, dragen: { ...without, profile: 'seed' } })).toEqual([]);
    expect((await look({}, { ...WELL_SETTINGS, dragen: without })).join()).toMatch(/^warning DRAGEN licence/);
  });

  it('needs a licence that is there, which is never read', async () => {
    const at = (licence: string) => having('dragen', { licence });
    expect(await look({}, at('/dragen/licence'))).toEqual([]);
    expect((await look({ hasParameter: async () => false }, at('/dragen/licence'))).join()).toContain(
      'there is no parameter',
    );
    const objects = new FakeObjects(['s3://private/licence.txt']);
    const findings = await lookAtAccount({ ...subjectOf(), objects }, signal);
    expect(faults(findings).join()).toMatch(/^failed DRAGEN licence: nothing is at/);
  });
});

describe('a licence in a secret', () => {
  const arn = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:dragen-AbCdEf';
  const found = (changes: Partial<AwsAccount>, licence = arn) => look(changes, having('dragen', { licence }));

  it('is looked for by its whole ARN', async () => {
    const asked: string[] = [];
    const secret: AwsAccount['secret'] = async (id) => {
      asked.push(id);
      return { filled: true };
    };
    expect(await found({ secret })).toEqual([]);
    expect(asked).toEqual([arn]);
  });

  it('fails where no machine could read it', async () => {
    expect(await found({ secret: async () => undefined })).toEqual([
      expect.stringMatching(/^failed DRAGEN licence: there is no secret dragen-AbCdEf \| put .* aws.dragen.licence$/),
    ]);
    const deletedAt = '2026-11-30T09:00:00.000Z';
    expect(await found({ secret: async () => ({ filled: true, deletedAt }) })).toEqual([
      expect.stringMatching(
        /^failed .* is marked for deletion \(2026-11-30.* \| aws secretsmanager restore-secret --secret-id arn/,
      ),
    ]);
    expect(await found({ secret: async () => ({ filled: false }) })).toEqual([
      expect.stringMatching(/^failed .*nothing is in the secret .* \| aws secretsmanager put-secret-value/),
    ]);
    expect(await found({}, 'arn:aws:secretsmanager:us-east-1')).toEqual([
      expect.stringMatching(/^failed .* is no ARN of a secret/),
    ]);
    expect(await found({}, arn.replace('us-east-1', 'eu-west-1'))).toEqual([
      expect.stringMatching(/^failed .* is in eu-west-1, machines in us-east-1 .* \| .* a secret of us-east-1/),
    ]);
  });

  it('that whoever looks may not look at says nothing of the machine, and stops no run', async () => {
    const secret = () => Promise.reject(denied('secretsmanager:DescribeSecret'));
    expect(await found({ secret })).toEqual([
      expect.stringMatching(
        /^unknown DRAGEN licence: .*by whoever runs this, which says nothing of the machine.* \| grant secretsmanager:DescribeSecret on arn:\S+ to whoever runs this.*GetSecretValue/,
      ),
    ]);
    const subject = subjectOf({ secret }, having('dragen', { licence: arn }));
    const findings = await checkProfile(subject.settings, subject.wanted, signal, subject);
    expect(findings.filter(({ state }) => state === 'unknown')).toHaveLength(1);
  });

  it('that did not answer is unknown too', async () => {
    const secret = () => Promise.reject(new CohortflowError('AwsUnavailable', 'no answer'));
    expect(await found({ secret })).toEqual([expect.stringMatching(/^unknown DRAGEN licence: no answer/)]);
  });
});

describe('the network', () => {
  const closed: Partial<AwsAccount> = {
    subnets: async (ids) =>
      ids.map((id) => ({ id, vpc: 'vpc-1', zone: 'us-east-1a', freeAddresses: 1, internet: false })),
  };

  it('without a way out needs the endpoints that the work goes through', async () => {
    const found = (await look(closed)).join('\n');
    expect(found).toMatch(/failed Network of processing jobs: vpc-1 has no way out and no endpoint of s3 /);
    expect(found).toMatch(/failed Network of DRAGEN machines: .*s3, ssm, ssmmessages, ec2messages/);
    expect(found).toContain('warning Network of processing jobs: subnet-1 has 1 free addresses');
    expect(found).toContain('licence server');
    const names = ['s3', 'ssm', 'ssmmessages', 'ec2messages'];
    const endpoints = async () =>
      names.map((service) => ({ vpc: 'vpc-1', service, kind: 'Interface', available: true }));
    expect((await look({ ...closed, endpoints })).join('\n')).not.toContain('failed');
    const licence = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:dragen-AbCdEf';
    expect((await look({ ...closed, endpoints }, having('dragen', { licence }))).join('\n')).toMatch(
      /failed Network of DRAGEN machines: vpc-1 has no way out and no endpoint of secretsmanager \|/,
    );
  });

  it('has the subnets and groups that the settings name', async () => {
    const found = await look({ subnets: async () => [], securityGroups: async () => [] });
    expect(found.join('\n')).toContain('there is no subnet subnet-1, subnet-2 | correct aws.sagemaker.subnets');
    expect(found.join('\n')).toContain('there is no security group sg-1');
  });
});

describe('image, key, roles and places', () => {
  it('are judged each with its fix', async () => {
    const image = (uri: string) => having('sagemaker', { image: uri });
    const registry = '123456789012.dkr.ecr.us-east-1.amazonaws.com';
    expect((await look({}, image(`${registry}/cohortflow:1.0`))).join()).toMatch(/^warning .*cohortflow@sha256:a{64}/);
    expect((await look({}, image('docker.io/library/x:1'))).join()).toMatch(/^failed .*not in ECR/);
    expect((await look({ region: async () => 'eu-west-1' })).join()).toContain(
      'is in us-east-1, jobs run in eu-west-1',
    );
    expect((await look({ containerImage: async () => undefined })).join()).toMatch(/^failed Processing image/);
    expect(await look({ key: async () => undefined })).toEqual([
      expect.stringMatching(/^failed KMS key: there is no such key/),
      expect.stringMatching(/^failed Volumes of the jobs: aws.kmsKey cannot encrypt them \| see KMS key/),
    ]);
    const state = { enabled: false, symmetric: true, state: 'PendingDeletion' };
    expect((await look({ key: async () => state })).join()).toMatch(/^failed KMS key: the key is PendingDeletion/);
    expect((await look({ tryKey: () => Promise.reject(denied('kms:GenerateDataKey')) })).join()).toMatch(
      /^unknown KMS key/,
    );
    expect((await look({}, having('sagemaker', { roleArn: 'jobs' }))).join()).toMatch(/^failed Role of the jobs/);
    const foreign = 'arn:aws:iam::210987654321:role/x';
    expect((await look({}, having('features', { roleArn: foreign }))).join()).toMatch(/^failed Role of the store/);
    const bare = { ...WELL_SETTINGS, athena: {} };
    expect((await look({ workgroup: async () => ({ enabled: true }) }, bare)).join()).toMatch(
      /^failed .*aws.athena.results/,
    );
    expect((await look({ workgroup: async () => ({ enabled: false }) })).join()).toMatch(/^failed .*disabled/);
  });

  it('that may not be written or read fail with the permission', async () => {
    const objects = new FakeObjects([], ['s3://work/', 's3://references/hg38']);
    const found = faults(await lookAtAccount({ ...subjectOf(), objects }, signal));
    expect(found[0]).toMatch(/^failed Writing aws.work: .* \| grant s3:PutObject/);
    expect(found[1]).toMatch(/^failed Reading aws.dragen.reference: .* \| grant s3:GetObject/);
    expect(found).toHaveLength(2);
  });
});

describe('the look before a run', () => {
  const places = {
    output: 's3://results/run-1',
    inputs: [{ option: '--clinical', uri: 's3://inputs/clinical.csv' }],
  };

  it('tries the places of the run, and asks nothing else of nobody where only S3 is used', async () => {
    const subject = subjectOf({ identity: () => Promise.reject(new Error('asked')) }, {}, { places });
    const findings = await checkProfile({}, subject.wanted, signal, subject);
    expect(findings.map(({ name, state }) => `${name}: ${state}`)).toEqual([
      'Writing --output: ok',
      'Reading --clinical: ok',
    ]);
    expect(subject.objects.written).toEqual(['s3://results/run-1/probe-1']);
    expect([...subject.objects.left]).toEqual([]);
  });

  it('refuses places that may not be written or read, by the option that names them', async () => {
    const wanted = { imaging: 'sagemaker', places } as const;
    const objects = new FakeObjects([], ['s3://results/run-1', 's3://inputs/']);
    const subject = { ...subjectOf({}, WELL_SETTINGS, wanted), objects };
    const failure = await failureOf(checkProfile(WELL_SETTINGS, wanted, signal, subject));
    expect(failure.code).toBe('AwsNotReady');
    expect(failure.message).toMatch(/Writing --output: s3:\/\/results\/run-1 may not be written\n +grant s3:PutObject/);
    expect(failure.message).toMatch(/Reading --clinical: .* may not be read\n +grant s3:GetObject/);
  });

  it('refuses with everything that cannot work and its fixes, and nothing else', async () => {
    const subject = subjectOf(
      { key: async () => undefined, featureGroupCount: async () => 97 },
      having('sagemaker', { roleArn: 'x' }),
    );
    const failure = await failureOf(checkProfile(subject.settings, subject.wanted, signal, subject));
    expect(failure.code).toBe('AwsNotReady');
    expect(failure.message).toContain('KMS key: there is no such key');
    expect(failure.message).toContain('correct aws.kmsKey');
    expect(failure.message).toContain('Role of the jobs');
    expect(failure.message).not.toContain('feature groups');
  });

  it('lets warnings and unknowns pass, and returns them', async () => {
    const subject = subjectOf({
      key: () => Promise.reject(denied('kms:DescribeKey')),
      featureGroupCount: async () => 97,
    });
    const findings = await checkProfile(subject.settings, subject.wanted, signal, subject);
    expect(
      findings
        .filter(({ state }) => state !== 'ok')
        .map(({ state }) => state)
        .sort(),
    ).toEqual(['unknown', 'unknown', 'warning']);
  });
});
