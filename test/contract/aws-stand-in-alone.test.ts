import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { AthenaClient, StartQueryExecutionCommand } from '@aws-sdk/client-athena';
import { DescribeInstanceTypeOfferingsCommand, DescribeSubnetsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { GenerateRandomCommand, KMSClient } from '@aws-sdk/client-kms';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { ListFeatureGroupsCommand, ListProcessingJobsCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { PutRecordCommand, SageMakerFeatureStoreRuntimeClient } from '@aws-sdk/client-sagemaker-featurestore-runtime';
import { ListServiceQuotasCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { DescribeInstanceInformationCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';
import { loadConfig } from '../../src/config/load-config.js';
import { awsCliProgram } from '../support/aws-cli.js';
import { motoProgram } from '../support/moto-server.js';

const moto = motoProgram();
const SCRIPT = join(PACKAGE_ROOT, 'scripts/aws-stand-in.mjs');

describe.skipIf(moto === undefined)('the stand-in of AWS, started alone', () => {
  let child: ChildProcess;
  const printed: Record<string, string> = {};
  let before: NodeJS.ProcessEnv;

  beforeAll(async () => {
    before = { ...process.env };
    child = spawn(process.execPath, [SCRIPT, '--built', '--port', '0'], {
      env: { ...process.env, COHORTFLOW_TEST_MOTO: moto! },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // The settings are what is printed last.
    for await (const line of createInterface({ input: child.stdout! })) {
      const [, name = '', value = ''] = /^export ([A-Z0-9_]+)='(.*)'$/.exec(line) ?? [];
      printed[name] = value;
      if (name === 'COHORTFLOW_AWS') break;
    }
    Object.assign(process.env, printed);
  }, 120_000);

  afterAll(async () => {
    process.env = before;
    if (child?.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  });

  it('prints settings that the product takes', () => {
    const { aws } = loadConfig(printed);
    expect(Object.keys(aws)).toEqual(['region', 'work', 'sagemaker', 'dragen', 'features', 'athena']);
  });

  it('answers SageMaker, quotas and ECR', async () => {
    const jobs = await new SageMakerClient({}).send(new ListProcessingJobsCommand({}));
    expect(jobs.ProcessingJobSummaries).toEqual([]);
    const quotas = await new ServiceQuotasClient({}).send(new ListServiceQuotasCommand({ ServiceCode: 'ec2' }));
    expect(quotas.Quotas?.map(({ QuotaName }) => QuotaName)).toContain('Running On-Demand F instances');
    const { image = '' } = loadConfig(printed).aws.sagemaker ?? {};
    const imageDigest = image.split('@')[1]!;
    const found = await new ECRClient({}).send(
      new DescribeImagesCommand({ repositoryName: 'cohortflow', imageIds: [{ imageDigest }] }),
    );
    expect(found.imageDetails?.[0]?.imageDigest).toBe(imageDigest);
  });

  it('answers EC2 and Systems Manager', async () => {
    const ec2 = new EC2Client({});
    const { subnets, instanceTypes = [] } = loadConfig(printed).aws.dragen ?? {};
    const { Subnets } = await ec2.send(new DescribeSubnetsCommand({}));
    expect(Subnets?.map(({ SubnetId }) => SubnetId)).toEqual(subnets);
    const Filters = [{ Name: 'instance-type', Values: [...instanceTypes] }];
    const offers = await ec2.send(
      new DescribeInstanceTypeOfferingsCommand({ LocationType: 'availability-zone', Filters }),
    );
    expect(offers.InstanceTypeOfferings).toHaveLength(2);
    const agents = await new SSMClient({}).send(new DescribeInstanceInformationCommand({}));
    expect(agents.InstanceInformationList).toEqual([]);
  });

  it('answers Feature Store and Athena at the same address', async () => {
    const groups = await new SageMakerClient({}).send(new ListFeatureGroupsCommand({}));
    expect(groups.FeatureGroupSummaries).toEqual([]);
    const record = { FeatureGroupName: 'nothing', Record: [{ FeatureName: 'a', ValueAsString: 'b' }] };
    await expect(new SageMakerFeatureStoreRuntimeClient({}).send(new PutRecordCommand(record))).rejects.toThrow(
      /can't find a FeatureGroup nothing/,
    );
    const query = { QueryString: 'SELECT 1', ClientRequestToken: crypto.randomUUID() };
    const { QueryExecutionId } = await new AthenaClient({}).send(new StartQueryExecutionCommand(query));
    expect(QueryExecutionId).toBe('query-1');
    const addresses = ['SAGEMAKER', 'SAGEMAKER_FEATURESTORE_RUNTIME', 'ATHENA', 'EC2', 'SSM'].map(
      (service) => printed[`AWS_ENDPOINT_URL_${service}`],
    );
    expect(new Set(addresses).size).toBe(1);
  });

  it('has S3 with the bucket of the settings, KMS and STS', async () => {
    const { Buckets } = await new S3Client({ forcePathStyle: true }).send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['cohortflow']);
    const { Plaintext } = await new KMSClient({}).send(new GenerateRandomCommand({ NumberOfBytes: 8 }));
    expect(Plaintext).toHaveLength(8);
    const { Account } = await new STSClient({}).send(new GetCallerIdentityCommand({}));
    expect(Account).toBe('123456789012');
  });

  const aws = moto === undefined ? undefined : awsCliProgram();
  it.skipIf(aws === undefined)('gives the licence of its settings to the AWS CLI, which machines use', async () => {
    const secret = loadConfig(printed).aws.dragen?.licence ?? '';
    const args = ['secretsmanager', 'get-secret-value', '--secret-id', secret];
    const { stdout } = await promisify(execFile)(aws!, args);
    expect(JSON.parse(stdout)).toMatchObject({ SecretString: 'stand-in' });
  });

  it('ends when it is told to, and leaves no server', async () => {
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    expect((await gone)[0]).toBe(0);
    for (const url of [printed['AWS_ENDPOINT_URL'], printed['AWS_ENDPOINT_URL_EC2']]) {
      await expect(fetch(url!)).rejects.toThrow();
    }
  }, 60_000);
});

describe('the command that starts the stand-in', () => {
  it('refuses what it cannot read', async () => {
    const { exitCode, stderr } = await new Promise<{ exitCode: number; stderr: string }>((resolve) => {
      execFile(process.execPath, [SCRIPT, '--port', 'x'], (error, _, text) =>
        resolve({ exitCode: Number(error?.code ?? 0), stderr: text }),
      );
    });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/--port: found x\nusage:/);
  });
});
