import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { CreateRepositoryCommand, ECRClient, ListImagesCommand, PutImageCommand } from '@aws-sdk/client-ecr';
import { CreateAliasCommand, CreateKeyCommand, DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateProcessingJobCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobSpec } from '../../../src/adapters/aws/sagemaker/job-spec.js';
import { createFiles } from '../../../src/app/create-files.js';
import type { SweptWork } from '../../../src/contracts/sweep.js';
import { startAwsStandIn, type AwsStandIn } from '../../support/aws/stand-in.js';
import { FeatureStoreServer } from '../../support/feature-store-server.js';
import { cli as cohortflow, cliJson } from '../../support/cli.js';
import { temporaryFolder } from '../../support/run-step.js';
import { hasS3Server, startS3Server, type S3Server } from '../../support/s3-server.js';
import { realTime, temporalCli } from '../../support/temporal-servers.js';

const cli = await temporalCli();
// Not with a real bucket: keys, roles and images are asked for on this machine too.
const able = cli !== undefined && hasS3Server() && process.env['COHORTFLOW_TEST_S3'] === undefined;
const IMAGE = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/cohortflow@sha256:${'0'.repeat(64)}`;

const ROLE = 'arn:aws:iam::123456789012:role/processing';

const AMI = 'ami-00000000000000001';
/** One of the marketplace whose terms this account has not accepted. */
const OTHERS_AMI = 'ami-00000000000000002';

const LICENCE = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:dragen-a1b2c3';

interface Found {
  readonly name: string;
  readonly state: string;
  readonly found: string;
  readonly fix?: string;
}

describe.skipIf(!able)('the verbs that look at an account', () => {
  const root = temporaryFolder('account-verbs');
  let env: TestWorkflowEnvironment;
  let s3: S3Server;
  let aws: AwsStandIn;
  let work: string;
  const features = new FeatureStoreServer();

  const settings = (changes: object = {}) => ({
    region: 'eu-central-1',
    work,
    sagemaker: { image: IMAGE, roleArn: ROLE, ...changes },
    features: { offlineStore: `${work}/store`, roleArn: ROLE },
  });

  const environment = (account: object, target: Readonly<Record<string, string>> = {}) => ({
    TEMPORAL_ADDRESS: env.address,
    COHORTFLOW_STATE: join(root, 'state'),
    COHORTFLOW_CACHE: join(root, 'cache'),
    COHORTFLOW_AWS: JSON.stringify(account),
    ...aws.environment,
    ...target,
  });

  beforeAll(async () => {
    [env, s3] = await Promise.all([realTime(cli!), startS3Server()]);
    work = `${s3.place()}/work`;
    const amis = { [AMI]: { rootGb: 50 }, [OTHERS_AMI]: { rootGb: 50, unsubscribed: true } };
    const images = { [IMAGE]: { simulatedSeconds: 3600 } };
    const secrets = { [LICENCE]: 'credentials' };
    aws = await startAwsStandIn({ images, quota: 20, features, machines: { amis }, secrets });
  }, 300_000);

  afterAll(async () => {
    await aws?.close();
    await env?.teardown();
    await s3?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  /** A job as a run would have made it; its workflow is open, ended, or unknown to the server. */
  async function job(digit: string, workflowId: string): Promise<string> {
    const name = `cohortflow-${digit.repeat(32)}`;
    const unit = { modality: 'imaging', caseId: 'A', source: { kind: 'dicom', folder: `${work}/A` } } as const;
    const tags = { 'cohortflow:work': name, 'cohortflow:workflow': workflowId, 'cohortflow:namespace': 'default' };
    const client = new SageMakerClient({
      region: 'eu-central-1',
      endpoint: aws.endpoint,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    await client.send(new CreateProcessingJobCommand(jobSpec(name, `${work}/${name}`, unit, tags, settings())));
    client.destroy();
    return name;
  }

  it('doctor finds a ready account well, and says what is missing in another', async () => {
    const ready = await cliJson(['doctor', '--profile', 'aws'], environment(settings()));
    const states = Object.fromEntries((ready.document['findings'] as Found[]).map(({ name, state }) => [name, state]));
    expect(ready.exitCode, JSON.stringify(ready.document)).toBe(0);
    for (const name of ['Credentials', 'Region', 'Processing image', 'Role of the jobs', 'Writing aws.work']) {
      expect(states[name], name).toBe('ok');
    }
    // The account has 20 jobs at once, a run would have 50.
    expect(states['Quota of processing jobs']).toBe('warning');

    const account = settings({ image: IMAGE.replace(/0{64}/, '1'.repeat(64)), instanceTypes: ['ml.p9.huge'] });
    account.work = 's3://cohortflow-no-such-bucket-here/work';
    const lacking = await cohortflow(['doctor', '--profile', 'aws'], environment(account));
    expect(lacking.exitCode).toBe(2);
    expect(lacking.stderr).toMatch(/FAILED {3}Quota of processing jobs: there is no quota "ml.p9.huge/);
    expect(lacking.stderr).toMatch(/FAILED {3}Processing image: .* is not in ECR/);
    expect(lacking.stderr).toMatch(/FAILED {3}Writing aws.work: .* there is no such bucket/);
    expect(lacking.stderr).toContain('push the image, or correct aws.sagemaker.image');

    // With nothing configured the profile cannot run, and what it wants is named.
    const nothing = await cohortflow(['doctor', '--profile', 'aws'], environment({ region: 'eu-central-1' }));
    expect(nothing.exitCode).toBe(2);
    for (const setting of ['sagemaker.image', 'sagemaker.roleArn', 'features.roleArn', 'features.offlineStore']) {
      expect(nothing.stderr).toContain(`not configured: aws.${setting}`);
    }
  }, 120_000);

  it('doctor tries a DRAGEN machine, and sends those to the marketplace who have no subscription to its image', async () => {
    const look = async (ami: string): Promise<Found | undefined> => {
      const dragen = {
        ...{ ami, instanceProfile: 'dragen', subnets: ['subnet-a'], securityGroups: ['sg-1'] },
        ...{ reference: `${work}/genome.fa`, annotation: `${work}/genes.gtf` },
      };
      const { document } = await cliJson(['doctor', '--profile', 'aws'], environment({ ...settings(), dragen }));
      return (document['findings'] as Found[]).find(({ name }) => name === 'DRAGEN machine');
    };
    expect(await look(AMI)).toMatchObject({ state: 'ok' });
    const refused = await look(OTHERS_AMI);
    expect(refused).toMatchObject({ state: 'failed', found: 'f2.6xlarge: the image is not subscribed to' });
    expect(refused?.fix).toContain('AWS Marketplace');
    expect(aws.machines.census().launched).toBe(0);
  }, 120_000);

  it('doctor looks for a licence in a secret, and does not read it', async () => {
    const look = async (licence: string): Promise<Found | undefined> => {
      const dragen = { ami: AMI, instanceProfile: 'dragen', subnets: ['subnet-a'], securityGroups: ['sg-1'], licence };
      const { document } = await cliJson(['doctor', '--profile', 'aws'], environment({ ...settings(), dragen }));
      return (document['findings'] as Found[]).find(({ name }) => name === 'DRAGEN licence');
    };
    expect(await look(LICENCE)).toMatchObject({ state: 'ok' });
    expect(await look(`${LICENCE}x`)).toMatchObject({ state: 'failed', found: 'there is no secret dragen-a1b2c3x' });
    expect(aws.calls.get('DescribeSecret')).toBe(2);
    expect(aws.calls.get('GetSecretValue')).toBeUndefined();
  }, 120_000);

  it('doctor says that nobody is signed in, and asks nothing more', async () => {
    const {
      AWS_ACCESS_KEY_ID: _id,
      AWS_SECRET_ACCESS_KEY: _key,
      ...rest
    } = environment(settings()) as Record<string, string>;
    const nobody = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true', HOME: root };
    const { document, exitCode } = await cliJson(['doctor', '--profile', 'aws'], { ...rest, ...nobody });
    const findings = document['findings'] as Found[];
    expect(exitCode).toBe(2);
    expect(findings.find(({ name }) => name === 'Credentials')).toMatchObject({ state: 'failed' });
    expect(findings.some(({ name }) => name === 'Processing image')).toBe(false);
  }, 120_000);

  it('run looks at the account first: what is missing is named with its fix, and nothing is started', async () => {
    const files = createFiles({ region: 'eu-central-1' });
    await files.write(`${work}/run/A/a.dcm`, 'x');
    await files.write(`${work}/run/cohort.csv`, 'case_id,imaging\nA,A\n');
    const args = ['--cohort', `${work}/run/cohort.csv`, '--output', `${work}/out`, '--imaging-executor', 'sagemaker'];
    const account = { ...settings({ instanceTypes: ['ml.p9.huge'] }), kmsKey: 'alias/absent' };
    const { exitCode, document } = await cliJson(['run', ...args], environment(account));
    expect(exitCode).toBe(2);
    const { code, message } = document['error'] as { readonly code: string; readonly message: string };
    expect(code).toBe('AwsNotReady');
    expect(message).toContain('KMS key: there is no such key');
    expect(message).toContain('correct aws.kmsKey');
    expect(message).toContain('there is no quota "ml.p9.huge for processing job usage"');
    expect(aws.calls.get('CreateProcessingJob') ?? 0).toBe(0);
    expect((await env.client.workflow.count("WorkflowType = 'multimodalCohort'")).count).toBe(0);
    expect(await files.stat(`${work}/out`)).toBeUndefined();
  }, 120_000);

  it('plan looks up sizes in S3, each study by its own prefix, and shows the job that would be sent', async () => {
    const files = createFiles({ region: 'eu-central-1' });
    await files.write(`${work}/plan/R01-001/a.dcm`, 'x'.repeat(1000));
    await files.write(`${work}/plan/R01-001/series/b.dcm`, 'x'.repeat(500));
    await files.write(`${work}/plan/R01-0012/c.dcm`, 'x'.repeat(70));
    await files.write(`${work}/plan/cohort.csv`, 'case_id,imaging\nR01-001,R01-001\nR01-0012,R01-0012\n');
    const calls = [...aws.calls];
    const { document, exitCode } = await cliJson(
      ['plan', '--cohort', `${work}/plan/cohort.csv`],
      environment(settings()),
    );
    expect(exitCode, JSON.stringify(document)).toBe(0);
    expect(document['sizes']).toMatchObject({ imaging: { count: 2, bytes: 1570, largest: 1500 }, unknown: 0 });
    const request = JSON.stringify(document['requests']);
    expect(request).toContain(`${work}/plan/R01-001/"`);
    expect(request).not.toContain('123456789012');
    // A plan asks nothing of an account but the sizes.
    expect([...aws.calls]).toEqual(calls);
  }, 120_000);

  it("sweep lists what no running workflow waits for, and ends with --yes only what is certainly nobody's", async () => {
    const start = { taskQueue: 'nobody', args: [{}] };
    await env.client.workflow.start('imagingStudy', { ...start, workflowId: 'open' });
    const closed = await env.client.workflow.start('imagingStudy', { ...start, workflowId: 'ended' });
    await closed.terminate();
    const [open, ended, unknown] = [await job('a', 'open'), await job('b', 'ended'), await job('c', 'forgotten')];
    const sweep = async (...args: string[]): Promise<{ document: Record<string, unknown>; lines: string[] }> => {
      const { document } = await cliJson(['sweep', '--older-than', '0', ...args], environment(settings()));
      const lines = (document['found'] as SweptWork[]).map(({ id, reason, outcome }) => `${id} ${reason} ${outcome}`);
      return { document, lines: lines.sort() };
    };
    const alive = () =>
      aws.jobs
        .census()
        .jobs.filter(({ status }) => status === 'InProgress')
        .map(({ name }) => name)
        .sort();

    const listed = await sweep();
    expect(listed.document).toMatchObject({ alive: 3, belongs: 1, unasked: [] });
    expect(listed.lines).toEqual([`${ended} closed left`, `${unknown} unknown left`]);
    expect(alive()).toEqual([open, ended, unknown]);

    expect((await sweep('--yes')).lines).toEqual([`${ended} closed ended`, `${unknown} unknown left`]);
    expect(alive()).toEqual([open, unknown]);

    expect((await sweep('--yes', '--unknown')).lines).toEqual([`${unknown} unknown ended`]);
    expect(alive()).toEqual([open]);
    expect((await sweep('--yes', '--unknown')).lines).toEqual([]);
  }, 240_000);

  it('sweep ends nothing when the server does not answer', async () => {
    const orphan = await job('d', 'ended');
    const { exitCode } = await cohortflow(
      ['sweep', '--yes', '--older-than', '0'],
      environment(settings(), { TEMPORAL_ADDRESS: '127.0.0.1:9' }),
    );
    expect(exitCode).toBe(1);
    expect(aws.jobs.census().jobs.find(({ name }) => name === orphan)?.status).toBe('InProgress');
  }, 120_000);

  it('clean --data lists, then removes, what runs made in S3, and nothing else there', async () => {
    const files = createFiles({ region: 'eu-central-1' });
    const output = `${work}/made`;
    const owner = { workflowId: 'w', runId: 'r', startedAt: '', state: 'finished', endedAt: '2026-01-01T00:00:00Z' };
    await files.write(`${output}/run/run.json`, JSON.stringify(owner));
    await files.write(`${output}/imaging/A/ct.nii.gz`, 'x'.repeat(300));
    await files.write(`${output}/dataset.csv`, 'x'.repeat(20));
    await files.write(`${output}/dicom/A/a.dcm`, 'precious');
    await files.write(`${work}/made-too/run/run.json`, JSON.stringify(owner));
    const listed = await cliJson(['clean', '--output', output, '--data'], environment(settings()));
    expect(listed.exitCode, listed.stdout).toBe(0);
    const items = listed.document['items'] as { readonly path: string; readonly bytes: number }[];
    expect(items.map(({ path }) => path.slice(output.length))).toEqual(['/imaging', '/dataset.csv', '/run']);
    expect(await files.stat(`${output}/dataset.csv`)).toBeDefined();
    const done = await cliJson(['clean', '--output', output, '--data', '--yes'], environment(settings()));
    expect(done.document).toMatchObject({ removed: true });
    const left = await files.list(output, { recursive: true });
    expect(left.map(({ path }) => path)).toEqual([`${output}/dicom/A/a.dcm`]);
    expect(await files.stat(`${work}/made-too/run/run.json`)).toBeDefined();
    const again = await cliJson(['clean', '--output', output, '--data'], environment(settings()));
    expect(again.document['error']).toMatchObject({ code: 'FileNotFound' });
  }, 120_000);

  it('clean --infra refuses while a run has work, then takes down what is left', async () => {
    const moto = {
      region: 'eu-central-1',
      endpoint: s3.endpoint,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    };
    const kms = new KMSClient(moto);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const keyId = KeyMetadata?.KeyId ?? '';
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/cohortflow-infra', TargetKeyId: keyId }));
    const ecr = new ECRClient(moto);
    await ecr.send(new CreateRepositoryCommand({ repositoryName: 'cohortflow' }));
    const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
    const config = {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      size: 7023,
      digest: `sha256:${'b'.repeat(64)}`,
    };
    const imageManifest = JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] });
    await ecr.send(new PutImageCommand({ repositoryName: 'cohortflow', imageManifest, imageTag: '1.0' }));
    const own = environment(
      { ...settings(), kmsKey: keyId },
      { AWS_ENDPOINT_URL_ECR: s3.endpoint, AWS_ENDPOINT_URL_KMS: s3.endpoint },
    );
    const refused = await cohortflow(['clean', '--infra'], own);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('cancel the runs first');
    await env.client.workflow.getHandle('open').terminate();
    const listed = await cliJson(['clean', '--infra'], own);
    expect(listed.exitCode, listed.stdout + listed.stderr).toBe(0);
    expect(listed.document).toMatchObject({ removed: false });
    const kinds = (listed.document['account'] as { kind: string }[]).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['encryption key', 'image', 'job or machine', 'job or machine']);
    const done = await cliJson(['clean', '--infra', '--yes'], own);
    expect(done.exitCode, done.stdout + done.stderr).toBe(0);
    expect(aws.jobs.census().alive).toBe(0);
    expect((await ecr.send(new ListImagesCommand({ repositoryName: 'cohortflow' }))).imageIds).toEqual([]);
    const { KeyMetadata: after } = await kms.send(new DescribeKeyCommand({ KeyId: keyId }));
    expect(after?.KeyState).toBe('PendingDeletion');
    kms.destroy();
    ecr.destroy();
  }, 240_000);
});
