import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateProcessingJobCommand,
  DescribeProcessingJobCommand,
  ListProcessingJobsCommand,
  ListTagsCommand,
  SageMakerClient,
  StopProcessingJobCommand,
  type CreateProcessingJobCommandInput,
  type DescribeProcessingJobCommandOutput,
} from '@aws-sdk/client-sagemaker';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAwsStandIn, type AwsStandIn, type StandInOptions } from '../support/aws/stand-in.js';
import type { Image } from '../support/aws/processing-jobs.js';

/** What the service is documented to do, asked of its stand-in by the service's own client. */
const ROLE = 'arn:aws:iam::123456789012:role/processing';
const ENDED = ['Completed', 'Failed', 'Stopped'];

describe('processing jobs of the stand-in', () => {
  let aws: AwsStandIn;
  let client: SageMakerClient;
  let folder: string;
  let before: NodeJS.ProcessEnv;

  beforeEach(() => {
    before = { ...process.env };
    folder = mkdtempSync(join(tmpdir(), 'cohortflow-jobs-'));
  });

  afterEach(async () => {
    client.destroy();
    await aws.close();
    rmSync(folder, { recursive: true, force: true });
    process.env = before;
  });

  /** An account where one simulated second takes ten milliseconds. */
  async function start(images: Readonly<Record<string, Image>>, options: StandInOptions = {}): Promise<void> {
    aws = await startAwsStandIn({ images, scale: 100, jobLagSeconds: 0, ...options });
    Object.assign(process.env, aws.environment);
    client = new SageMakerClient({ maxAttempts: 1 });
  }

  function create(name: string, more: Partial<CreateProcessingJobCommandInput> = {}): Promise<unknown> {
    return client.send(
      new CreateProcessingJobCommand({
        ProcessingJobName: name,
        RoleArn: ROLE,
        AppSpecification: { ImageUri: 'image' },
        ProcessingResources: {
          ClusterConfig: { InstanceType: 'ml.r5.large', InstanceCount: 1, VolumeSizeInGB: 5 },
        },
        ...more,
      }),
    );
  }

  const describeJob = (name: string): Promise<DescribeProcessingJobCommandOutput> =>
    client.send(new DescribeProcessingJobCommand({ ProcessingJobName: name }));

  async function until(
    name: string,
    fits: (job: DescribeProcessingJobCommandOutput) => boolean,
  ): Promise<DescribeProcessingJobCommandOutput> {
    for (;;) {
      const job = await describeJob(name).catch(() => undefined);
      if (job !== undefined && fits(job)) return job;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  const ended = (name: string): Promise<DescribeProcessingJobCommandOutput> =>
    until(name, ({ ProcessingJobStatus: status = '' }) => ENDED.includes(status));

  const preferring = (...types: string[]): Partial<CreateProcessingJobCommandInput> => ({
    ProcessingResources: {
      ClusterConfig: {
        InstancePreferences: types.map((InstanceType) => ({ InstanceType, InstanceCount: 1 })),
        VolumeSizeInGB: 5,
      } as never,
    },
  });

  it('run, end, keep their name, and cost what they ran', async () => {
    await start({ image: { simulatedSeconds: 36 } }, { jobPrices: { 'ml.r5.large': 100 } });
    await create('a', { Tags: [{ Key: 'k', Value: 'v' }] });
    const { ProcessingStartTime: from, ProcessingEndTime: to, ...job } = await ended('a');
    expect(job.ProcessingJobStatus).toBe('Completed');
    const seconds = (to!.getTime() - from!.getTime()) / 1000;
    expect(seconds).toBeGreaterThanOrEqual(35);
    expect(aws.jobs.census().dollars).toBeCloseTo((seconds / 3600) * 100, 1);
    await expect(create('a')).rejects.toMatchObject({ name: 'ResourceInUse' });
    const { Tags } = await client.send(new ListTagsCommand({ ResourceArn: job.ProcessingJobArn }));
    expect(Tags).toEqual([{ Key: 'k', Value: 'v' }]);
    await expect(describeJob('b')).rejects.toMatchObject({
      name: 'ValidationException',
      message: 'Could not find requested job with name: b',
    });
  });

  it('have a quota for each type, and need room in that of every type they list', async () => {
    await start({ image: { simulatedSeconds: 1e6 } }, { quota: { 'ml.r5.large': 1, 'ml.m5.xlarge': 2 } });
    await create('a');
    await expect(create('b')).rejects.toMatchObject({
      name: 'ResourceLimitExceeded',
      message: expect.stringContaining("'ml.r5.large for processing job usage' is 1 Instances") as string,
    });
    await expect(create('b', preferring('ml.m5.xlarge', 'ml.r5.large'))).rejects.toMatchObject({
      name: 'ResourceLimitExceeded',
    });
    await expect(create('b', preferring('ml.c5.xlarge', 'ml.m5.xlarge'))).rejects.toMatchObject({
      name: 'ResourceLimitExceeded',
    });
    const cluster = { InstanceType: 'ml.m5.xlarge', InstanceCount: 1, VolumeSizeInGB: 5 } as const;
    await create('b', { ProcessingResources: { ClusterConfig: cluster } });
    await client.send(new StopProcessingJobCommand({ ProcessingJobName: 'a' }));
    await ended('a');
    await create('c');
  });

  it('take the first type that is to be had, and fail where there is none', async () => {
    await start({ image: { simulatedSeconds: 1 } });
    aws.faults.noCapacity('ml.r5.large');
    await create('a', preferring('ml.r5.large', 'ml.m5.xlarge'));
    const { ProcessingResources } = await ended('a');
    expect(aws.jobs.census().jobs[0]?.type).toBe('ml.m5.xlarge');
    expect(ProcessingResources?.ClusterConfig).toMatchObject({ VolumeSizeInGB: 5 });
    await create('b');
    const job = await ended('b');
    expect(job).toMatchObject({ ProcessingJobStatus: 'Failed' });
    expect(job.FailureReason).toMatch(/^CapacityError: Unable to provision requested ML compute capacity/);
    expect(job.ProcessingStartTime).toBeUndefined();
    expect(aws.jobs.census().jobs[1]).toMatchObject({ executions: 0, started: undefined });
  });

  it('show the first kilobyte of their message, by bytes', async () => {
    await start({ image: { simulatedSeconds: 0, exitCode: 1, message: `a${'ü'.repeat(800)}` } });
    await create('a');
    const { ExitMessage = '', FailureReason } = await ended('a');
    expect(FailureReason).toBe('AlgorithmError: , exit code: 1');
    expect(ExitMessage).toBe(`a${'ü'.repeat(511)}`);
  });

  it('fail when their message is not UTF-8, even where the program did not', async () => {
    await start({ image: { simulatedSeconds: 0, message: Buffer.from([0x61, 0xff, 0xfe]) } });
    await create('a');
    const { ProcessingJobStatus, FailureReason, ExitMessage } = await ended('a');
    expect(ProcessingJobStatus).toBe('Failed');
    expect(FailureReason).toMatch(/^ClientError: /);
    expect(ExitMessage).toBeUndefined();
  });

  it('are not seen, and not seen to have changed, until a little later', async () => {
    await start({ image: { simulatedSeconds: 1 } }, { jobLagSeconds: 1e6 });
    await create('a');
    await expect(describeJob('a')).rejects.toMatchObject({ name: 'ValidationException' });
    const listed = await client.send(new ListProcessingJobsCommand({ NameContains: 'a' }));
    expect(listed.ProcessingJobSummaries).toEqual([]);
    // Its name is taken all the same.
    await expect(create('a')).rejects.toMatchObject({ name: 'ResourceInUse' });
    aws.jobs.lagSeconds = 20;
    const job = await until('a', ({ ProcessingJobStatus }) => {
      // What is told is never ahead of what is.
      const truth = aws.jobs.census().jobs[0]?.status;
      expect([truth, 'InProgress']).toContain(ProcessingJobStatus);
      return ProcessingJobStatus === 'Completed';
    });
    expect(job.ProcessingEndTime).toBeDefined();
  });

  it('stop at once before their container starts, and through Stopping afterwards', async () => {
    await start({ image: { simulatedSeconds: 1e6 } }, { startSeconds: 20 });
    await create('a');
    await client.send(new StopProcessingJobCommand({ ProcessingJobName: 'a' }));
    expect((await describeJob('a')).ProcessingJobStatus).toBe('Stopping');
    // Twice is no fault while it stops.
    await client.send(new StopProcessingJobCommand({ ProcessingJobName: 'a' }));
    expect((await ended('a')).ProcessingStartTime).toBeUndefined();
    await expect(client.send(new StopProcessingJobCommand({ ProcessingJobName: 'a' }))).rejects.toMatchObject({
      name: 'ValidationException',
    });
    await create('b');
    await until('b', ({ ProcessingStartTime }) => ProcessingStartTime !== undefined);
    await client.send(new StopProcessingJobCommand({ ProcessingJobName: 'b' }));
    expect((await ended('b')).ProcessingJobStatus).toBe('Stopped');
    expect(aws.jobs.census().alive).toBe(0);
  });

  it('that run longer than they may end as stopped, not as failed', async () => {
    await start({ image: { simulatedSeconds: 1e6 } });
    await create('a', { StoppingCondition: { MaxRuntimeInSeconds: 10 } });
    const { ProcessingJobStatus, FailureReason } = await ended('a');
    expect(ProcessingJobStatus).toBe('Stopped');
    expect(FailureReason).toBeUndefined();
  });

  it('fail for the reasons that a test gives', async () => {
    await start({ image: { simulatedSeconds: 1 } });
    aws.jobs.failNext('InternalServerError: We encountered an internal error. Please try again.', 'running');
    await create('a');
    expect((await ended('a')).FailureReason).toMatch(/^InternalServerError/);
    aws.faults.killNext(1);
    await create('b');
    expect((await ended('b')).FailureReason).toBe('AlgorithmError: , exit code: 137');
    await create('c');
    expect((await ended('c')).ProcessingJobStatus).toBe('Completed');
  });

  it('tell their container of themselves in two files', async () => {
    const script = join(folder, 'look.mjs');
    const kept = join(folder, 'kept.json');
    writeFileSync(
      script,
      `import { readFileSync, writeFileSync } from 'node:fs';
       const root = process.env.COHORTFLOW_CONTAINER_ROOT + '/opt/ml';
       const [job, resources] = ['processingjobconfig', 'resourceconfig'].map((name) =>
         JSON.parse(readFileSync(root + '/config/' + name + '.json', 'utf8')));
       writeFileSync(${JSON.stringify(kept)}, JSON.stringify({ job, resources }));
       writeFileSync(root + '/output/message', 'looked');`,
    );
    await start({ image: { command: process.execPath, args: [script] } });
    await create('a', { Environment: { A: '1' }, Tags: [{ Key: 'k', Value: 'v' }] });
    expect((await ended('a')).ExitMessage).toBe('looked');
    const { job, resources } = JSON.parse(readFileSync(kept, 'utf8')) as Record<string, Record<string, unknown>>;
    expect(job).toMatchObject({
      ProcessingJobArn: 'arn:aws:sagemaker:eu-central-1:123456789012:processing-job/a',
      ProcessingJobName: 'a',
      AppSpecification: { ImageUri: 'image' },
      Environment: { A: '1' },
      RoleArn: ROLE,
    });
    expect(job).not.toHaveProperty('Tags');
    expect(resources).toMatchObject({
      current_host: 'algo-1',
      hosts: ['algo-1'],
      current_instance_type: 'ml.r5.large',
    });
  });
});
