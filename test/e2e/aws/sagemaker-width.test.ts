import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REMOTE_HEARTBEAT_MS } from '../../../src/activities/remote-work.js';
import { createFiles } from '../../../src/app/create-files.js';
import { PACKAGE_ROOT } from '../../../src/app/package-root.js';
import { stepByName } from '../../../src/app/step-registry.js';
import { billableActions, freePort, sumOf } from '../../support/billable-actions.js';
import { startAwsStandIn, type AwsStandIn } from '../../support/aws/stand-in.js';
import { temporaryFolder } from '../../support/run-step.js';
import { hasS3Server, startS3Server, type S3Server } from '../../support/s3-server.js';
import { realTime, temporalCli } from '../../support/temporal-servers.js';
import { TestWorker } from '../../support/worker-process.js';

/** Jobs of five minutes: a few, in little time; the original's 162 by `npm run soak -- --only wide`. */
const JOBS = Number(process.env['COHORTFLOW_SOAK_JOBS'] ?? 12);
const cli = await temporalCli();
const able = cli !== undefined && hasS3Server();
const IMAGE = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/cohortflow@sha256:${'0'.repeat(64)}`;
/** Simulated seconds in one second: whatever this machine itself takes counts so many times. */
const SCALE = Number(process.env['COHORTFLOW_SOAK_SCALE'] ?? 30);
const JOB_SECONDS = 300;
const POLL_SECONDS = 30;
/** What a job may cost in all, its share of its cohort included. */
const MOST_ACTIONS = 20;
/** Heartbeats of one who waits that hurried jobs do not live to see. */
const unseenHeartbeats =
  Math.floor((JOB_SECONDS * 1000) / REMOTE_HEARTBEAT_MS) -
  Math.floor((JOB_SECONDS * 1000) / SCALE / REMOTE_HEARTBEAT_MS);

describe.skipIf(!able)('many five-minute jobs', () => {
  const root = temporaryFolder('sagemaker-width');
  let env: TestWorkflowEnvironment;
  let s3: S3Server;
  let aws: AwsStandIn;
  let worker: TestWorker;
  let place: string;
  let metricsPort: number;

  beforeAll(async () => {
    metricsPort = await freePort();
    [env, s3] = await Promise.all([realTime(cli!, ['--metrics-port', String(metricsPort)]), startS3Server()]);
    place = s3.place();
    const steps = ['imaging.convert', 'imaging.radiomics', 'imaging.overlay'];
    const versions = JSON.stringify(Object.fromEntries(steps.map((name) => [name, stepByName(name).version])));
    const script = join(PACKAGE_ROOT, 'test/support/aws/quick-image.mjs');
    const program = { command: process.execPath, args: [script, String(JOB_SECONDS / SCALE), versions] };
    aws = await startAwsStandIn({ images: { [IMAGE]: program }, scale: SCALE });
    const files = createFiles({});
    const cases = Array.from({ length: JOBS }, (_, index) => `C-${String(index).padStart(3, '0')}`);
    for (const id of cases) await files.write(`${place}/dicom/${id}/1.dcm`, 'not looked at');
    const rows = cases.map((id) => `${id},dicom/${id}`);
    await files.write(`${place}/cohort.csv`, ['case_id,imaging', ...rows, ''].join('\n'));
    const sagemaker = {
      ...{ image: IMAGE, roleArn: 'arn:aws:iam::123456789012:role/processing' },
      ...{ pollSeconds: POLL_SECONDS / SCALE, pollsPerSecond: 2 * SCALE },
    };
    worker = await TestWorker.start(env.address, root, [], {
      COHORTFLOW_AWS: JSON.stringify({ work: `${place}/work`, sagemaker }),
      ...aws.environment,
    });
  }, 300_000);

  afterAll(async () => {
    await worker?.end('SIGKILL');
    await aws?.close();
    await env?.teardown();
    await s3?.stop();
    rmSync(root, { recursive: true, force: true });
  }, 60_000);

  it(
    'run fifty at once, each once, with few billable actions, in as long as their waves and a poll each take',
    async () => {
      const input = { cohort: `${place}/cohort.csv`, output: join(root, 'out'), imagingExecutor: 'sagemaker' };
      const start = { workflowId: 'width', taskQueue: 'cohortflow', args: [{ ...input, concurrency: 50 }] };
      const before = sumOf(await billableActions(metricsPort));
      const began = Date.now();
      const handle = await env.client.workflow.start('imagingCohort', start);
      let last = began;
      for (let ended = 0; ended < JOBS;) {
        await new Promise((resolve) => setTimeout(resolve, 250));
        ended = (await env.client.workflow.count("WorkflowType = 'imagingStudy' AND ExecutionStatus = 'Completed'"))
          .count;
        last = Date.now();
      }
      await handle.result();
      const { peak, alive, jobs } = aws.jobs.census();
      expect(jobs).toHaveLength(JOBS);
      expect(jobs.every(({ status, executions }) => status === 'Completed' && executions === 1)).toBe(true);
      // Hurried, on a busy machine, the first may have ended before the last is begun.
      expect(peak).toBeLessThanOrEqual(Math.min(50, JOBS));
      if (SCALE === 1) expect(peak).toBe(Math.min(50, JOBS));
      expect(alive).toBe(0);
      const billed = await billableActions(metricsPort);
      const perJob = (sumOf(billed) - before) / JOBS + unseenHeartbeats;
      console.warn(`${perJob.toFixed(1)} actions a job: ${JSON.stringify(Object.fromEntries(billed))}`);
      expect(billed.get('command_ScheduleActivityTask') ?? 0).toBeGreaterThanOrEqual(3 * JOBS);
      expect(perJob).toBeLessThanOrEqual(MOST_ACTIONS);
      const seconds = (from: number, to: number): number => ((to - from) / 1000) * SCALE;
      const middle = (values: readonly number[]): string =>
        ([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0).toFixed(0);
      // What a job takes besides its five minutes: until its container runs, and from its end to the next job in its slot.
      const starts = [...jobs].sort((a, b) => a.created - b.created).map(({ created }) => created);
      const ends = jobs.map(({ ended = 0 }) => ended).sort((a, b) => a - b);
      const starting = jobs.map(({ created, started = created }) => seconds(created, started));
      const running = jobs.map(({ started = 0, ended = 0 }) => seconds(started, ended));
      const between = starts.slice(peak).map((at, index) => seconds(ends[index] ?? at, at));
      console.warn(
        `seconds, in the middle: ${middle(starting)} to start, ${middle(running)} of running, ${middle(between)} from ` +
          `an end to the next job; all jobs of the first wave begun after ${seconds(began, starts[peak - 1] ?? began).toFixed(0)}, ` +
          `last end to the last study ${seconds(ends.at(-1) ?? last, last).toFixed(0)}`,
      );
      const minutes = (((last - began) / 1000) * SCALE) / 60;
      const waves = Math.ceil(JOBS / 50);
      const bound = (waves * (JOB_SECONDS + POLL_SECONDS)) / 60;
      console.warn(
        `${JOBS} jobs of 5 minutes: ${minutes.toFixed(1)} simulated minutes (${waves} waves and a poll each: ${bound.toFixed(1)}), ` +
          `calls: ${JSON.stringify(Object.fromEntries(aws.calls))}`,
      );
      // Hurried, what this machine itself takes counts many times.
      if (SCALE === 1) expect(minutes).toBeLessThanOrEqual(bound);
    },
    // As long as the jobs take, and half as long again for this machine.
    600_000 + (Math.ceil(JOBS / 50) * JOB_SECONDS * 1500) / SCALE,
  );
});
