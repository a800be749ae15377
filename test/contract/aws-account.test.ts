import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CreateVpcCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  DescribeImagesCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { CreateRepositoryCommand, ECRClient, PutImageCommand } from '@aws-sdk/client-ecr';
import { CreateAliasCommand, CreateKeyCommand, DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateSecretCommand, DeleteSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AwsAccountReader } from '../../src/adapters/aws/account/account-reader.js';
import { AwsHoldingsReader } from '../../src/adapters/aws/account/holdings.js';
import { ACCOUNT_NAME, inStandInOnly } from '../support/aws/real-account.js';
import { hasAccount, openAccount, patience, type TestAccount } from '../support/aws/test-account.js';
import { MotoServer, motoProgram } from '../support/moto-server.js';

const program = motoProgram();
const { signal } = new AbortController();

/** What doctor reads of that which the settings name, through the real SDK. */
describe.skipIf(!hasAccount())(`what an account tells of its settings (${ACCOUNT_NAME})`, () => {
  let opened: TestAccount;
  let account: AwsAccountReader;

  beforeAll(async () => {
    opened = await openAccount();
    account = new AwsAccountReader(opened.settings);
  }, 120_000);

  afterAll(async () => {
    await opened?.close();
  });

  it(
    'is who is signed in, and where; whether keys, images, networks and workgroups are there that it names, and no others',
    async () => {
      const { region, kmsKey, sagemaker, dragen, athena } = opened.settings;
      expect(await account.identity(signal)).toMatchObject({
        account: expect.stringMatching(/^\d{12}$/) as string,
        arn: expect.stringMatching(/^arn:aws/) as string,
      });
      if (region !== undefined) expect(await account.region()).toBe(region);
      if (kmsKey !== undefined) {
        expect(await account.key(kmsKey, signal)).toMatchObject({ enabled: true, symmetric: true, state: 'Enabled' });
        await account.tryKey(kmsKey, signal);
      }
      expect(await account.key('alias/cohortflow-none', signal)).toBeUndefined();
      const { image } = sagemaker ?? {};
      if (image !== undefined) expect(await account.containerImage(image, signal)).toMatch(/^sha256:[0-9a-f]{64}$/);
      for (const { subnets = [], securityGroups = [] } of [sagemaker ?? {}, dragen ?? {}]) {
        const found = await account.subnets([...subnets, 'subnet-00000000000000000'], signal);
        expect(found.map(({ id }) => id).sort()).toEqual([...subnets].sort());
        for (const { vpc, zone } of found)
          expect([vpc, zone]).toEqual([expect.stringMatching(/./), expect.stringMatching(/./)]);
        const groups = await account.securityGroups([...securityGroups, 'sg-00000000000000000'], signal);
        expect([...groups].sort()).toEqual([...securityGroups].sort());
      }
      const { ami } = dragen ?? {};
      if (ami !== undefined)
        expect(await account.machineImage(ami, signal)).toMatchObject({ id: ami, state: 'available' });
      expect(await account.machineImage('ami-00000000000000000', signal)).toBeUndefined();
      expect(await account.hasParameter('/cohortflow/none', signal)).toBe(false);
      const { licence = '' } = dragen ?? {};
      if (licence.includes(':secretsmanager:')) expect(await account.secret(licence, signal)).toEqual({ filled: true });
      expect(await account.secret('cohortflow-none', signal)).toBeUndefined();
      expect(await account.workgroup(athena?.workgroup ?? 'primary', signal)).toMatchObject({ enabled: true });
    },
    patience(2),
  );
});

inStandInOnly('what an account tells of keys, images and machines that are made for it', madeForIt);

/** The calls of doctor and clean through the real SDK against a server that speaks the services' protocols. */
function madeForIt(): void {
  describe.skipIf(program === undefined)('in moto', () => {
    let moto: MotoServer;
    let account: AwsAccountReader;
    let holdings: AwsHoldingsReader;

    beforeAll(async () => {
      moto = await MotoServer.start(program!);
      account = new AwsAccountReader({ region: 'us-east-1' });
      holdings = new AwsHoldingsReader({ region: 'us-east-1' });
    }, 90_000);

    afterAll(async () => {
      await moto?.stop();
    });

    it('is who is signed in, and where', async () => {
      expect(await account.identity(signal)).toMatchObject({
        account: '123456789012',
        arn: expect.stringContaining('arn:'),
      });
      expect(await account.region()).toBe('us-east-1');
      expect(await new AwsAccountReader({}).region()).toBe('eu-central-1');
    });

    it('is whether a key is there, enabled and of us; and takes its deletion', async () => {
      const kms = new KMSClient({ region: 'us-east-1' });
      const make = async (): Promise<string> => (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? '';
      const [id, other] = [await make(), await make()];
      await kms.send(new CreateAliasCommand({ AliasName: 'alias/cohortflow-data', TargetKeyId: id }));
      expect(await account.key('alias/cohortflow-data', signal)).toEqual({
        enabled: true,
        symmetric: true,
        state: 'Enabled',
      });
      await account.tryKey(id, signal);
      expect(await holdings.key(id, signal)).toEqual({ id, ours: true });
      expect(await holdings.key(other, signal)).toEqual({ id: other, ours: false });
      expect(await account.key('alias/nothing', signal)).toBeUndefined();
      await kms.send(new DisableKeyCommand({ KeyId: other }));
      expect(await account.key(other, signal)).toMatchObject({ enabled: false, state: 'Disabled' });
      const at = Date.parse(await holdings.scheduleKeyDeletion(id, 7, signal));
      expect((at - Date.now()) / 86_400_000).toBeGreaterThan(6.9);
      expect((await holdings.key(id, signal))?.deletedAt).toBeDefined();
    });

    it('is which images a repository has; and takes their removal', async () => {
      const ecr = new ECRClient({ region: 'us-east-1' });
      const registry = '123456789012.dkr.ecr.us-east-1.amazonaws.com';
      await ecr.send(new CreateRepositoryCommand({ repositoryName: 'cohortflow' }));
      await ecr.send(new CreateRepositoryCommand({ repositoryName: 'theirs' }));
      const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
        config: {
          mediaType: 'application/vnd.docker.container.image.v1+json',
          size: 7023,
          digest: `sha256:${'b'.repeat(64)}`,
        },
        layers: [],
      });
      await ecr.send(new PutImageCommand({ repositoryName: 'cohortflow', imageManifest: manifest, imageTag: '1.0' }));
      const digest = (await account.containerImage(`${registry}/cohortflow:1.0`, signal)) ?? '';
      expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(await account.containerImage(`${registry}/cohortflow@${digest}`, signal)).toBe(digest);
      expect(await account.containerImage(`${registry}/cohortflow:2.0`, signal)).toBeUndefined();
      expect(await account.containerImage(`${registry}/absent:1`, signal)).toBeUndefined();
      const held = await holdings.repository(`${registry}/cohortflow:1.0`, signal);
      expect(held).toMatchObject({ name: 'cohortflow', ours: true, images: [{ digest, tags: ['1.0'] }] });
      expect(await holdings.repository(`${registry}/theirs:1`, signal)).toMatchObject({ ours: false, images: [] });
      expect(await holdings.repository(`${registry}/absent:1`, signal)).toBeUndefined();
      await holdings.removeImages(`${registry}/cohortflow:1.0`, [digest], signal);
      expect((await holdings.repository(`${registry}/cohortflow:1.0`, signal))?.images).toEqual([]);
    });

    it('is what networks and machines there are', async () => {
      const ec2 = new EC2Client({ region: 'us-east-1' });
      const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.9.0.0/16' }));
      const vpc = Vpc?.VpcId ?? '';
      const { Subnet } = await ec2.send(
        new CreateSubnetCommand({ VpcId: vpc, CidrBlock: '10.9.1.0/24', AvailabilityZone: 'us-east-1a' }),
      );
      const id = Subnet?.SubnetId ?? '';
      const { GroupId: group = '' } = await ec2.send(
        new CreateSecurityGroupCommand({ GroupName: 'g', Description: 'd', VpcId: vpc }),
      );
      expect(await account.subnets([id, 'subnet-00000000'], signal)).toEqual([
        { id, vpc, zone: 'us-east-1a', freeAddresses: expect.any(Number), internet: false },
      ]);
      expect(await account.securityGroups([group, 'sg-00000000'], signal)).toEqual([group]);
      expect(await account.endpoints([vpc], signal)).toEqual([]);
      expect((await account.zonesOf('m5.large', signal)).length).toBeGreaterThan(0);
      expect(await account.zonesOf('f9.huge', signal)).toEqual([]);
      const { Images = [] } = await ec2.send(new DescribeImagesCommand({ Owners: ['amazon'] }));
      const image = Images[0]?.ImageId ?? '';
      expect(await account.machineImage(image, signal)).toMatchObject({ id: image, state: 'available' });
      expect(await account.machineImage('ami-00000000000000000', signal)).toBeUndefined();
      const trial = { image, type: 'm5.large', subnet: id };
      const own = new AwsAccountReader({ region: 'us-east-1', dragen: { securityGroups: [group] } });
      expect(await own.tryLaunch(trial, signal)).toEqual({ allowed: true });
    });

    it('is which parameters are there, without their values', async () => {
      const ssm = new SSMClient({ region: 'us-east-1' });
      await ssm.send(new PutParameterCommand({ Name: '/dragen/licence', Value: 'secret', Type: 'SecureString' }));
      expect(await account.hasParameter('/dragen/licence', signal)).toBe(true);
      expect(await account.hasParameter('/dragen/other', signal)).toBe(false);
      expect(await account.parameter('/nothing', signal)).toBeUndefined();
    });

    it('is which secrets are there and can be read, without their values', async () => {
      const secrets = new SecretsManagerClient({ region: 'us-east-1' });
      const make = async (Name: string, SecretString?: string): Promise<string> =>
        (await secrets.send(new CreateSecretCommand({ Name, ...(SecretString === undefined ? {} : { SecretString }) })))
          .ARN ?? '';
      const [full, empty, gone] = [await make('full', 'x'), await make('empty'), await make('gone', 'x')];
      await secrets.send(new DeleteSecretCommand({ SecretId: gone, RecoveryWindowInDays: 7 }));
      expect(await account.secret(full, signal)).toEqual({ filled: true });
      expect(await account.secret(empty, signal)).toEqual({ filled: false });
      expect(await account.secret(gone, signal)).toMatchObject({
        deletedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
      });
      expect(await account.secret(full.replace('full', 'none'), signal)).toBeUndefined();
    });

    it('is where queries run', async () => {
      expect(await account.workgroup('primary', signal)).toMatchObject({ enabled: true });
    });
  });
}
