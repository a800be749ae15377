import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateProcessingJobCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jobSpec } from '../../../src/adapters/aws/sagemaker/job-spec.js';
import { createFiles } from '../../../src/app/create-files.js';
import type { SweepResult } from '../../../src/contracts/sweep.js';
import { unitWorkflowId } from '../../../src/contracts/workflow-ids.js';
import { workTags } from '../../../src/contracts/work-tags.js';
import { startAwsStandIn, type AwsStandIn } from '../../support/aws/stand-in.js';
import { cliJson } from '../../support/cli.js';
import { BOUND_SECONDS } from '../../support/ended-from-outside.js';
import { temporaryFolder } from '../../support/run-step.js';
import { hasS3Server, startS3Server, type S3Server } from '../../support/s3-server.js';
import { realTime, temporalCli } from '../../support/temporal-servers.js';
import { TestWorker } from '../../support/worker-process.js';

const cli = await temporalCli();
const able = cli !== undefined && hasS3Server();
const IMAGE = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/cohortflow@sha256:${'0'.repeat(64)}`;
const SCHEDULE = 'cohortflow-sweep';

describe.skipIf(!able)('work whose workflow is gone', () => {
  const root = temporaryFolder('sweep');
  let env: TestWorkflowEnvironment;
  let s3: S3Server;
  let aws: AwsStandIn;
  let place: string;
  let worker: TestWorker;

  const settings = () => ({
    region: 'eu-central-1',
    work: `${place}/work`,
    sagemaker: {
      image: IMAGE,
      roleArn: 'arn:aws:iam::123456789012:role/processing',
      pollSeconds: 1,
      pollsPerSecond: 50,
    },
  });
  const environment = () => ({
    TEMPORAL_ADDRESS: env.address,
    COHORTFLOW_STATE: join(root, 'state'),
    COHORTFLOW_CACHE: join(root, 'cache'),
    COHORTFLOW_AWS: JSON.stringify(settings()),
    ...aws.environment,
  });
  const sweep = (...args: string[]) => cliJson(['sweep', '--older-than', '0', ...args], environment());

  beforeAll(async () => {
    [env, s3] = await Promise.all([realTime(cli!), startS3Server()]);
    place = s3.place();
    aws = await startAwsStandIn({ images: { [IMAGE]: { simulatedSeconds: 3600 } }, startSeconds: 0.5 });
    worker = await TestWorker.start(env.address, root, [], environment());
  }, 300_000);

  afterAll(async () => {
    await worker?.end('SIGKILL');
    await aws?.close();
    await env?.teardown();
    await s3?.stop();
    rmSync(root, { recursive: true, force: true });
  }, 60_000);

  /** A job as a run of a workflow would have made it. */
  async function job(digit: string, workflowId: string, runId: string): Promise<string> {
    const name = `cohortflow-${digit.repeat(32)}`;
    const unit = { modality: 'imaging', caseId: 'A', source: { kind: 'dicom', folder: `${place}/A` } } as const;
    const tags = workTags(name, workflowId, 'default', runId);
    const client = new SageMakerClient({
      region: 'eu-central-1',
      endpoint: aws.endpoint,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    await client.send(new CreateProcessingJobCommand(jobSpec(name, `${place}/work/${name}`, unit, tags, settings())));
    client.destroy();
    return name;
  }

  const running = (): readonly string[] =>
    aws.jobs
      .census()
      .jobs.filter(({ status }) => status === 'InProgress')
      .map(({ name }) => name)
      .sort();

  /** A workflow that stays open, since nobody serves its queue. */
  const begin = (workflowId: string) =>
    env.client.workflow.start('imagingStudy', { taskQueue: 'nobody', args: [{}], workflowId });

  it('is ended though the same command, with the same workflow ids, was given again', async () => {
    const before = await begin('again');
    await before.terminate();
    const now = await begin('again');
    const left = await job('a', 'again', before.firstExecutionRunId);
    const awaited = await job('b', 'again', now.firstExecutionRunId);
    expect(now.firstExecutionRunId).not.toBe(before.firstExecutionRunId);
    const { document } = await sweep('--yes');
    expect(document).toMatchObject({ alive: 2, belongs: 1, found: [{ id: left, reason: 'closed', outcome: 'ended' }] });
    expect(running()).toEqual([awaited]);
    await now.terminate();
    await sweep('--yes');
    expect(running()).toEqual([]);
  }, 240_000);

  it('is ended by a schedule that is made, changed and removed; one that cannot look fails', async () => {
    const owner = await begin('owner');
    await owner.terminate();
    const orphan = await job('c', 'owner', owner.firstExecutionRunId);
    const schedule = env.client.schedule.getHandle(SCHEDULE);
    /** How the workflow ends that a trigger starts. */
    const triggered = async (): Promise<SweepResult> => {
      const known = (await schedule.describe()).info.recentActions.length;
      await schedule.trigger();
      for (let waited = 0; ; waited += 200) {
        const { recentActions } = (await schedule.describe()).info;
        const { action } = recentActions[known] ?? {};
        if (action !== undefined) {
          const { workflowId, firstExecutionRunId } = action.workflow;
          return (await env.client.workflow.getHandle(workflowId, firstExecutionRunId).result()) as SweepResult;
        }
        if (waited > 60_000) throw new Error('the schedule started nothing');
        await sleep(200);
      }
    };

    expect((await sweep('--every', '600')).document).toMatchObject({ scheduleId: SCHEDULE, made: true });
    expect(await triggered()).toMatchObject({
      found: [{ id: orphan, reason: 'closed', outcome: 'ended' }],
      unasked: [],
    });
    expect(running()).toEqual([]);

    expect((await sweep('--every', '700')).document).toMatchObject({ scheduleId: SCHEDULE, made: false });
    const { spec } = await schedule.describe();
    expect(spec.intervals?.map(({ every }) => every)).toEqual([700 * 60_000]);

    aws.faults.next('ListProcessingJobs', ...Array.from({ length: 200 }, () => 'throttle' as const));
    await expect(triggered()).rejects.toMatchObject({
      cause: { type: 'SweepIncomplete', message: expect.stringContaining('sagemaker was not looked at') as string },
    });

    expect((await sweep('--every', '0')).document).toMatchObject({ scheduleId: SCHEDULE, removed: true });
    expect((await sweep('--every', '0')).document).toMatchObject({ removed: false });
    await expect(schedule.describe()).rejects.toThrow();
  }, 240_000);

  it('is stopped without any sweep when one study alone is terminated, in the time that is stated', async () => {
    const cases = ['C-0', 'C-1'];
    const files = createFiles({});
    for (const id of cases) await files.write(`${place}/dicom/${id}/1.dcm`, 'not looked at');
    await files.write(`${place}/cohort.csv`, `case_id,imaging\n${cases.map((id) => `${id},dicom/${id}\n`).join('')}`);
    const handle = await env.client.workflow.start('imagingCohort', {
      workflowId: 'one',
      taskQueue: 'cohortflow',
      args: [{ cohort: `${place}/cohort.csv`, output: `${place}/out`, imagingExecutor: 'sagemaker' }],
    });
    for (let waited = 0; running().length < 2; waited += 100) {
      if (waited > 120_000) throw new Error('the jobs did not begin');
      await sleep(100);
    }
    // Both are waited for: before that a job has no one who hears of the end.
    const waitedFor = async (id: string): Promise<boolean> => {
      const { raw } = await env.client.workflow.getHandle(unitWorkflowId('one', id)).describe();
      return raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'awaitWork') === true;
    };
    while (!(await waitedFor('C-0')) || !(await waitedFor('C-1'))) await sleep(100);
    await env.client.workflow.getHandle(unitWorkflowId('one', 'C-0')).terminate('this one alone');
    const began = Date.now();
    while (running().length === 2 && Date.now() - began < BOUND_SECONDS.terminate * 1000) await sleep(200);
    expect(running()).toHaveLength(1);
    await handle.cancel();
    await handle.result().catch(() => undefined);
    expect(running()).toEqual([]);
  }, 600_000);
});
