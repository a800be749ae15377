import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateProcessingJobCommand, DescribeProcessingJobCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SageMakerExecutor } from '../../src/adapters/aws/sagemaker/executor.js';
import type { AwsSettings, SageMakerSettings } from '../../src/config/aws-settings.js';
import type { RemoteEnd, RemoteTicket } from '../../src/contracts/remote-work.js';
import { failureKind } from '../../src/domain/failures/index.js';
import { workTags } from '../../src/contracts/work-tags.js';
import type { Files } from '../../src/ports/files.js';
import { WorkFailed, type RemoteWork } from '../../src/ports/remote-executor.js';
import type { CensusJob, SimulatedImage } from '../support/aws/processing-jobs.js';
import { newWork, nothingAlive, submitted } from '../support/aws/executor-work.js';
import {
  ACCOUNT_NAME,
  hasSettings,
  inStandInOnly,
  maySpend,
  REAL_ACCOUNT,
  TEST_RUN,
} from '../support/aws/real-account.js';
import { startAwsStandIn, type AwsStandIn, type StandInOptions } from '../support/aws/stand-in.js';
import { hasAccount, openAccount, patience, until, type TestAccount } from '../support/aws/test-account.js';
import { temporaryFolder } from '../support/run-step.js';
import { writeSmallCohort } from '../support/small-cohort.js';

/** The executor by itself, without a workflow around it: every call, every end, every moment. */
const IMAGE = 'registry/image@sha256:0';
const ROLE = 'arn:aws:iam::123456789012:role/jobs';
const NAME = `cohortflow-${'a'.repeat(32)}`;
const { signal } = new AbortController();
const FOREVER: SimulatedImage = { simulatedSeconds: 1e6 };

const { image, roleArn } = REAL_ACCOUNT?.sagemaker ?? {};
const able = hasAccount() && hasSettings('SageMaker', image, roleArn) && maySpend('processing jobs of SageMaker');

/** The executor with jobs that really compute a small study: what can be seen of it in any account. */
describe.skipIf(!able)(`the SageMaker executor, whole (${ACCOUNT_NAME})`, () => {
  const root = temporaryFolder('sagemaker-executor');
  let account: TestAccount;
  let settings: AwsSettings;
  let before: NodeJS.ProcessEnv;

  beforeAll(async () => {
    before = { ...process.env };
    account = await openAccount();
    settings = {
      ...account.settings,
      sagemaker: { ...account.settings.sagemaker, pollSeconds: REAL_ACCOUNT ? 10 : 1 },
    };
    mkdirSync(root, { recursive: true });
    writeSmallCohort(root, 1);
    await account.files.copy(join(root, 'dicom/C-01'), `${account.place}/dicom/C-01`);
    await account.files.write(`${account.place}/dicom/C-02/notes.txt`, 'no study');
  }, 120_000);

  afterAll(async () => {
    if (account === undefined) return;
    // Whatever a test that failed has left.
    for (const found of await executor().alive(signal)) await executor().end(found, signal);
    await account.close();
    process.env = before;
    rmSync(root, { recursive: true, force: true });
  }, patience(10));

  const executor = (more: SageMakerSettings = {}): SageMakerExecutor =>
    new SageMakerExecutor({ ...settings, sagemaker: { ...settings.sagemaker, ...more } }, account.files, TEST_RUN);

  function given(caseId: string): RemoteWork {
    const source = { kind: 'dicom', folder: `${account.place}/dicom/${caseId}` } as const;
    const unit = { modality: 'imaging', caseId, source } as const;
    const common = { executor: 'sagemaker', runId: 'run', attempt: 1 } as const;
    return newWork(account.place, (output) => ({ ...common, output, input: { unit, output } }));
  }

  it(
    'gives work away once, though a worker is lost meanwhile, and tells the machine and the seconds in the end',
    async () => {
      const work = given('C-01');
      const ticket = await submitted(executor(), work);
      expect(ticket).toEqual({ executor: 'sagemaker', name: work.name, place: work.place });
      expect(await account.files.names(`${work.place}/request`)).toEqual(['request.json']);
      const other = executor();
      expect(await submitted(other, work)).toEqual(ticket);
      const said: string[] = [];
      const { facts } = await other.await(ticket!, signal, (message) => said.push(message));
      expect(settings.sagemaker?.instanceTypes ?? ['ml.r5.large']).toContain(facts?.['instanceType']);
      expect(facts?.['seconds']).toBeGreaterThan(0);
      expect(await account.files.names(`${work.place}/results`)).toContain('steps.json');
      if (account.alone !== undefined) expect(account.alone.standIn.jobs.census().jobs).toHaveLength(1);
      await other.stop(work.name, signal);
      await nothingAlive(executor());
    },
    patience(20),
  );

  it(
    'tells the code with which the container ended',
    async () => {
      const work = given('C-02');
      const one = executor();
      const ticket = await submitted(one, work);
      await expect(one.await(ticket!, signal, () => undefined)).rejects.toMatchObject({ code: 'NoDicom' });
      await nothingAlive(executor());
    },
    patience(20),
  );

  it(
    'tells a job that somebody else stopped as one that ran too long',
    async () => {
      const work = given('C-01');
      const one = executor();
      const ticket = await submitted(one, work);
      const end = expect(one.await(ticket!, signal, () => undefined)).rejects.toMatchObject({ code: 'JobTimedOut' });
      await executor().stop(work.name, signal);
      await end;
      await nothingAlive(executor());
    },
    patience(20),
  );

  it(
    'lists what is alive and ours, and ends it',
    async () => {
      const work = given('C-01');
      await submitted(executor(), work);
      const found = await until(
        () => executor().alive(signal),
        (all) => all.length > 0,
      );
      expect(found).toMatchObject([{ executor: 'sagemaker', id: work.name, workflowId: `workflow-${work.name}` }]);
      await executor().end(found[0]!, signal);
      await nothingAlive(executor());
    },
    patience(20),
  );
});

inStandInOnly('the SageMaker executor', () => {
  let aws: AwsStandIn;
  let before: NodeJS.ProcessEnv;
  let written: Map<string, string>;

  beforeEach(() => {
    before = { ...process.env };
    written = new Map();
  });

  afterEach(async () => {
    vi.useRealTimers();
    await aws.close();
    process.env = before;
  });

  /** An account where one simulated second takes ten milliseconds. */
  async function start(image: SimulatedImage, options: StandInOptions = {}): Promise<void> {
    aws = await startAwsStandIn({ images: { [IMAGE]: image }, scale: 100, ...options });
    Object.assign(process.env, aws.environment);
  }

  function executor(
    more: SageMakerSettings = {},
    namespace = 'default',
    speed = 1,
    account: AwsSettings = {},
  ): SageMakerExecutor {
    const files = { write: async (path: string, text: string) => void written.set(path, text) } as unknown as Files;
    const sagemaker = { image: IMAGE, roleArn: ROLE, pollSeconds: 0.02, pollsPerSecond: 500, ...more };
    return new SageMakerExecutor({ region: 'eu-central-1', ...account, sagemaker }, files, namespace, speed);
  }

  function work(name = NAME, namespace = 'default', workflowId = 'w'): RemoteWork {
    const unit = { modality: 'imaging', caseId: 'C', source: { kind: 'dicom', folder: 's3://data/C' } } as const;
    const common = { executor: 'sagemaker', output: 's3://out', runId: 'run', attempt: 1 } as const;
    return {
      request: { ...common, input: { unit, output: 's3://out' } },
      name,
      place: `s3://out/run/.work/${name}`,
      logs: `s3://out/run/logs/r/${name}`,
      tags: workTags(name, workflowId, namespace),
    };
  }

  const await_ = (ticket: RemoteTicket, one = executor()): Promise<RemoteEnd> =>
    one.await(ticket, signal, () => undefined);

  const whole = async (one = executor()): Promise<RemoteEnd> => await_(await one.submit(work(), signal), one);

  const job = (name = NAME): CensusJob | undefined => aws.jobs.census().jobs.find((one) => one.name === name);

  async function when(fits: () => boolean): Promise<void> {
    while (!fits()) await sleep(5);
  }

  /** A job of that name that somebody else has begun. */
  async function foreign(tags: Readonly<Record<string, string>> = {}): Promise<void> {
    const client = new SageMakerClient({});
    const cluster = { InstanceType: 'ml.r5.large', InstanceCount: 1, VolumeSizeInGB: 5 } as const;
    await client.send(
      new CreateProcessingJobCommand({
        ...{ ProcessingJobName: NAME, RoleArn: ROLE, AppSpecification: { ImageUri: IMAGE } },
        ProcessingResources: { ClusterConfig: cluster },
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    );
    client.destroy();
  }

  describe('gives work away', () => {
    it('with its request beside it, and tells the machine and the seconds in the end', async () => {
      await start({ simulatedSeconds: 60 });
      const one = executor();
      const ticket = await one.submit(work(), signal);
      expect(ticket).toEqual({ executor: 'sagemaker', name: NAME, place: work().place });
      expect([...written.keys()]).toEqual([`${work().place}/request/request.json`]);
      const said: string[] = [];
      const { facts } = await one.await(ticket, signal, (message) => said.push(message));
      expect(facts?.['instanceType']).toBe('ml.r5.large');
      expect(facts?.['seconds']).toBeGreaterThan(59);
      expect(said).toContain('job InProgress');
    });

    it('to the next type of its list where there is none of the first, and tells which it got', async () => {
      await start({ simulatedSeconds: 60 });
      aws.faults.noCapacity('ml.r5.large');
      const one = executor({ instanceTypes: ['ml.r5.large', 'ml.m5.xlarge'] });
      const { facts } = await whole(one);
      expect(facts?.['instanceType']).toBe('ml.m5.xlarge');
      expect(job()?.type).toBe('ml.m5.xlarge');
    });

    it('with the key that an alias stands for on its volume', async () => {
      await start(FOREVER, { jobLagSeconds: 0 });
      process.env['AWS_ENDPOINT_URL_KMS'] = aws.endpoint;
      const one = executor({}, 'default', 1, { kmsKey: 'alias/cohort' });
      await one.submit(work(), signal);
      await one.submit(work(`${NAME}-2`), signal);
      const client = new SageMakerClient({});
      const described = await client.send(new DescribeProcessingJobCommand({ ProcessingJobName: NAME }));
      client.destroy();
      expect(described.ProcessingResources?.ClusterConfig?.VolumeKmsKeyId).toBe(
        'arn:aws:kms:eu-central-1:123456789012:key/of-cohort',
      );
      expect(described.ProcessingOutputConfig?.KmsKeyId).toBe('alias/cohort');
      expect(aws.calls.get('DescribeKey')).toBe(1);
    });

    it.each([
      ['was lost after the job had been taken on', ['drop-after', 'drop-after']],
      ['was lost before the job had been taken on, then after', ['drop-before', 'drop-after']],
      ['was a fault of the service’s own', ['unavailable', 'drop-after']],
    ] as const)('once, where the answer %s', async (_, faults) => {
      await start(FOREVER);
      aws.faults.next('CreateProcessingJob', ...faults);
      const one = executor();
      // What is told of jobs lags behind: its own job may not be seen at once. The workflow then gives it away again.
      await vi.waitFor(async () => expect(await one.submit(work(), signal)).toMatchObject({ name: NAME }), 10_000);
      expect(await one.submit(work(), signal)).toMatchObject({ name: NAME });
      expect(aws.jobs.census().jobs).toHaveLength(1);
    });

    it('says that it may come again where its own job is not seen yet', async () => {
      await start(FOREVER, { jobLagSeconds: 1e6 });
      await executor().submit(work(), signal);
      await expect(executor().submit(work(), signal)).rejects.toMatchObject({ code: 'AwsUnavailable' });
    });

    it('does not take a job of another specification for its own: the workflow ends it and begins another', async () => {
      await start(FOREVER, { jobLagSeconds: 0 });
      await executor({ volumeGb: 5 }).submit(work(), signal);
      const failed = await executor({ volumeGb: 20 })
        .submit(work(), signal)
        .catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(WorkFailed);
      expect(failureKind((failed as WorkFailed).code).retryable).toBe(true);
      expect(failed).toMatchObject({
        code: 'JobLost',
        message: expect.stringContaining('other settings') as string,
      });
      // It is this work's all the same, and ends with it.
      await executor({ volumeGb: 20 }).stop(NAME, signal);
      expect(job()?.status).toBe('Stopped');
    });

    it('does not touch a job that is not its own', async () => {
      await start(FOREVER, { jobLagSeconds: 0 });
      await foreign({ 'cohortflow:work': 'another' });
      await expect(executor().submit(work(), signal)).rejects.toMatchObject({ code: 'JobRejected' });
      await executor().stop(NAME, signal);
      expect(job()?.status).toBe('InProgress');
    });

    it('takes a job of its name whose tags are not seen yet for its own, once they are, and stops it before', async () => {
      await start(FOREVER, { jobLagSeconds: 0 });
      aws.jobs.tagLagSeconds = 1e6;
      await executor().submit(work(), signal);
      const unseen = executor().submit(work(), signal);
      await expect(unseen).rejects.toMatchObject({ code: 'AwsUnavailable', retryable: true });
      aws.jobs.tagLagSeconds = 0;
      expect(await executor().submit(work(), signal)).toMatchObject({ name: NAME });
      aws.jobs.tagLagSeconds = 1e6;
      await executor().stop(NAME, signal);
      expect(job()?.status).toBe('Stopped');
    });

    it('at its rate, whatever looks there are, and more slowly where the service throttles', async () => {
      await start(FOREVER, { jobLagSeconds: 0 });
      const one = executor({ pollsPerSecond: 20 });
      const names = Array.from({ length: 21 }, (_, at) => `${NAME}-${at}`);
      const waiting = new AbortController();
      const ticket = { executor: 'sagemaker', name: NAME, place: work().place } as const;
      const looks = names.map(() => one.await(ticket, waiting.signal, () => undefined).catch(() => undefined));
      await Promise.all(names.map((name) => one.submit(work(name), signal)));
      const begun = aws.jobs.census().jobs.map(({ created }) => created);
      // Twenty intervals of 50 ms, of which none is shorter, however the first calls were held up.
      expect(Math.max(...begun) - Math.min(...begun)).toBeGreaterThan(500);
      waiting.abort();
      await Promise.all(looks);
      // The SDK tries twice.
      aws.faults.next('CreateProcessingJob', ...Array<'throttle'>(4).fill('throttle'));
      for (const last of ['x', 'y', 'z']) await one.submit(work(`${NAME}-${last}`), signal).catch(() => undefined);
      await one.submit(work(`${NAME}-first`), signal);
      await one.submit(work(`${NAME}-second`), signal);
      const [first, second] = [job(`${NAME}-first`)!, job(`${NAME}-second`)!];
      // An eighth of the rate, and a sixteenth more.
      expect(second.created - first.created).toBeGreaterThan(120);
    }, 30_000);

    it('adopts its own before a hundred looks at others', async () => {
      await start(FOREVER, { jobLagSeconds: 0 });
      const one = executor({ pollsPerSecond: 20 });
      await one.submit(work(), signal);
      const waiting = new AbortController();
      const ticket = { executor: 'sagemaker', name: NAME, place: work().place } as const;
      const waits = Array.from({ length: 100 }, () =>
        one.await(ticket, waiting.signal, () => undefined).catch(() => undefined),
      );
      const looked = aws.calls.get('DescribeProcessingJob') ?? 0;
      expect(await one.submit(work(), signal)).toMatchObject({ name: NAME });
      expect((aws.calls.get('DescribeProcessingJob') ?? 0) - looked).toBeLessThan(20);
      waiting.abort();
      await Promise.all(waits);
    }, 30_000);

    it.each(['cohort-(1)/imaging/batch#1,~trial (A)=ü', `long (${'ä#'.repeat(200)})`, 'x'.repeat(1000)])(
      'for a workflow whose id no tag could have as it is, and tells whose it is: %.30s',
      async (workflowId) => {
        await start(FOREVER, { jobLagSeconds: 0 });
        await executor().submit(work(NAME, 'default', workflowId), signal);
        expect(await executor().alive(signal)).toMatchObject([{ id: NAME, workflowId }]);
      },
    );

    it('says what the quota leaves no room for, and what throttles', async () => {
      await start(FOREVER, { quota: { 'ml.r5.large': 0 } });
      await expect(executor().submit(work(), signal)).rejects.toMatchObject({ code: 'AwsQuotaExceeded' });
      aws.faults.next('CreateProcessingJob', 'throttle', 'throttle');
      await expect(executor().submit(work(), signal)).rejects.toMatchObject({ code: 'AwsThrottled' });
      expect(aws.jobs.census().jobs).toEqual([]);
    });
  });

  describe('tells how a job ended', () => {
    const note = JSON.stringify({ code: 'MissingSlice', step: 'imaging.convert', message: 'slice 12 is missing – ü' });

    it.each<[string, SimulatedImage, (() => void) | undefined, SageMakerSettings, string, string]>([
      ['with a note', { simulatedSeconds: 1, exitCode: 1, message: note }, undefined, {}, 'MissingSlice', 'slice 12'],
      ['without one', { simulatedSeconds: 1, exitCode: 1 }, undefined, {}, 'JobFailed', 'exit code: 1'],
      ['for memory', FOREVER, () => aws.faults.killNext(1), {}, 'JobKilled', 'exit code: 137'],
      ['for its time', FOREVER, undefined, { maxMinutes: 1 }, 'JobTimedOut', 'ran longer than it may'],
      [
        'for want of machines',
        FOREVER,
        () => aws.faults.noCapacity('ml.r5.large'),
        {},
        'AwsNoCapacity',
        'CapacityError',
      ],
      [
        'for a fault of the service',
        { simulatedSeconds: 1 },
        () => aws.jobs.failNext('InternalServerError: We encountered an internal error. Please try again.', 'running'),
        {},
        'JobLost',
        'InternalServerError',
      ],
      [
        'for its image',
        { simulatedSeconds: 1 },
        () => aws.jobs.failNext('ClientError: Cannot pull image', 'starting'),
        {},
        'JobRejected',
        'Cannot pull image',
      ],
    ])('that failed %s', async (_, image, prepare, settings, code, message) => {
      // A minute that is simulated passes in no time; a job that is killed is so at some share of its time.
      await start(image === FOREVER ? { simulatedSeconds: 200 } : image);
      prepare?.();
      await expect(whole(executor(settings))).rejects.toMatchObject({
        name: 'CohortflowError',
        code,
        message: expect.stringContaining(message) as string,
      });
    });

    it('through looks that fail', async () => {
      await start({ simulatedSeconds: 60 });
      const one = executor();
      const ticket = await one.submit(work(), signal);
      aws.faults.next('DescribeProcessingJob', ...Array<'throttle'>(4).fill('throttle'), 'drop-before', 'unavailable');
      const { facts, paid } = await await_(ticket, one);
      expect(facts).toBeDefined();
      const { instanceType, seconds } = facts!;
      expect(paid).toMatchObject([{ executor: 'sagemaker', instanceType, seconds, spot: false }]);
    });

    it('that the service has never seen, after a while', async () => {
      await start(FOREVER, { jobLagSeconds: 1e6 });
      const one = executor();
      const ticket = await one.submit(work(), signal);
      vi.useFakeTimers({ toFake: ['Date'] });
      const end = await_(ticket, one);
      const failed = expect(end).rejects.toMatchObject({ code: 'JobLost' });
      await when(() => (aws.calls.get('DescribeProcessingJob') ?? 0) > 2);
      vi.setSystemTime(Date.now() + 200_000);
      await failed;
    });

    it('not as lost, where a job that was seen for long is not seen for a moment', async () => {
      await start(FOREVER, { jobLagSeconds: 0 });
      const one = executor();
      const ticket = await one.submit(work(), signal);
      const said: string[] = [];
      vi.useFakeTimers({ toFake: ['Date'] });
      aws.jobs.hide(3, 4);
      const end = one.await(ticket, signal, (message) => {
        said.push(message);
        if (said.length === 3) vi.setSystemTime(Date.now() + 600_000);
      });
      const failed = expect(end).rejects.toMatchObject({ code: 'JobTimedOut' });
      await Promise.race([
        failed,
        when(() => said.lastIndexOf('job InProgress') > said.indexOf('job not seen yet') + 3),
      ]);
      expect(said).toContain('job not seen yet');
      await executor().stop(NAME, signal);
      await failed;
    });
  });

  describe('stops', () => {
    it('a job that has not started, one that runs, one that stops already and one that has ended', async () => {
      await start(FOREVER, { startSeconds: 50, jobLagSeconds: 0 });
      const one = executor();
      await one.submit(work(), signal);
      // One that never started costs nothing.
      expect(await one.stop(NAME, signal)).toEqual([]);
      expect(job()).toMatchObject({ status: 'Stopped', executions: 0 });

      const second = `${NAME}-2`;
      await one.submit(work(second), signal);
      await when(() => job(second)?.started !== undefined);
      // Two at once: the second finds it stopping, or stopped.
      await Promise.all([one.stop(second, signal), one.stop(second, signal)]);
      expect(job(second)).toMatchObject({ status: 'Stopped', executions: 1 });
      const calls = aws.calls.get('StopProcessingJob');
      await one.stop(second, signal);
      expect(aws.calls.get('StopProcessingJob')).toBe(calls);
      expect(aws.jobs.census().alive).toBe(0);
    });

    it('a job that is not seen yet', async () => {
      await start(FOREVER, { jobLagSeconds: 0 });
      await executor().submit(work(), signal);
      aws.jobs.hide(0, 2);
      await executor().stop(NAME, signal);
      expect(job()?.status).toBe('Stopped');
    }, 60_000);

    it('a job that was seen and then is not for a moment', async () => {
      await start(FOREVER, { jobLagSeconds: 0 });
      await executor().submit(work(), signal);
      aws.jobs.hide(1, 3);
      await executor().stop(NAME, signal);
      expect(job()?.status).toBe('Stopped');
    });

    // Each attempt of an activity would look for two minutes anew: under faults one stop took a quarter of an hour.
    it('in one go where calls fail in the middle of it: the time of looking does not begin anew', async () => {
      await start(FOREVER);
      const fail = (action: string): void => aws.faults.next(action, ...Array<'throttle'>(4).fill('throttle'));
      fail('DescribeProcessingJob');
      fail('StopProcessingJob');
      await executor({}, 'default', 10).stop(NAME, signal);
      expect(aws.faults.count('throttle')).toBe(8);
    }, 60_000);

    it('nothing where nothing was ever taken on', async () => {
      await start(FOREVER);
      await executor({}, 'default', 100).stop(NAME, signal);
      expect(aws.jobs.census().jobs).toEqual([]);
    });

    it.each([false, true])(
      'a job that the service shows only a minute after it began; nor can it be stopped before: %s',
      async (stopsLag) => {
        // A simulated second takes 20 milliseconds, of the account and of the executor's patience alike.
        await start(FOREVER, { scale: 50, jobLagSeconds: 60 });
        aws.jobs.stopsLag = stopsLag;
        const one = executor({}, 'default', 50);
        await one.submit(work(), signal);
        await one.stop(NAME, signal);
        expect(job()?.status).toBe('Stopped');
        expect(aws.jobs.census().alive).toBe(0);
      },
    );

    it('nothing for long where the service refused to begin it', async () => {
      await start(FOREVER, { quota: { 'ml.r5.large': 0 } });
      const one = executor({}, 'default', 100);
      await expect(one.submit(work(), signal)).rejects.toMatchObject({ code: 'AwsQuotaExceeded' });
      await one.stop(NAME, signal);
      expect(aws.calls.get('StopProcessingJob')).toBeUndefined();
      expect(aws.calls.get('DescribeProcessingJob')).toBeLessThan(6);
    });

    it('before a hundred looks at other jobs', async () => {
      await start(FOREVER, { jobLagSeconds: 0 });
      const one = executor({ pollsPerSecond: 20 });
      const waiting = new AbortController();
      await one.submit(work(), signal);
      const ticket = { executor: 'sagemaker', name: NAME, place: work().place } as const;
      const waits = Array.from({ length: 100 }, () =>
        one.await(ticket, waiting.signal, () => undefined).catch(() => undefined),
      );
      await when(() => (aws.calls.get('DescribeProcessingJob') ?? 0) > 1);
      const looked = aws.calls.get('DescribeProcessingJob') ?? 0;
      const stop = one.stop(NAME, signal);
      await when(() => job()?.status !== 'InProgress');
      // A stop is three calls, and a look may be on its way already: it has not waited for the hundred.
      expect((aws.calls.get('DescribeProcessingJob') ?? 0) - looked).toBeLessThan(20);
      await stop;
      waiting.abort();
      await Promise.all(waits);
    }, 60_000);
  });

  describe('lists', () => {
    it('what is alive and ours, in this namespace, page by page, and ends it', async () => {
      await start(FOREVER, { quota: 1000, jobLagSeconds: 0 });
      const one = executor();
      const names = Array.from({ length: 105 }, (_, at) => `cohortflow-${String(at).padStart(3, '0')}`);
      for (const name of names) await one.submit(work(name), signal);
      await executor().submit(work('cohortflow-other', 'other'), signal);
      await foreign();
      const found = await one.alive(signal);
      expect(found.map(({ id }) => id).sort()).toEqual(names);
      expect(found[0]).toMatchObject({ executor: 'sagemaker', workflowId: 'w' });
      await one.end(found[0]!, signal);
      expect(job(found[0]!.id)?.status).toBe('Stopped');
      expect(aws.jobs.census().alive).toBe(106);
    }, 60_000);
  });
});
