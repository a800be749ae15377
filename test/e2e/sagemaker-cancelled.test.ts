import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFiles } from '../../src/app/create-files.js';
import { seeded } from '../support/aws/faults.js';
import { startAwsStandIn, type AwsStandIn } from '../support/aws/stand-in.js';
import { cli as cohortflow } from '../support/cli.js';
import { temporaryFolder } from '../support/run-step.js';
import { hasS3Server, startS3Server, type S3Server } from '../support/s3-server.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { TestWorker } from '../support/worker-process.js';

const cli = await temporalCli();
const able = cli !== undefined && hasS3Server();
/** Rounds of one cohort that is ended from outside; `npm run soak` does two hundred. */
const ROUNDS = Number(process.env['COHORTFLOW_SOAK_CANCELS'] ?? 2);
const STUDIES = 6;
const IMAGE = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/cohortflow@sha256:${'0'.repeat(64)}`;
const ENDS = ['cancel', 'terminate', 'kill the worker and cancel'] as const;

describe.skipIf(!able)('cohorts on SageMaker that are ended from outside', () => {
  const root = temporaryFolder('sagemaker-cancelled');
  let env: TestWorkflowEnvironment;
  let s3: S3Server;
  let aws: AwsStandIn;
  const workers: TestWorker[] = [];
  let place: string;

  const environment = (): Record<string, string> => ({
    TEMPORAL_ADDRESS: env.address,
    COHORTFLOW_STATE: join(root, 'state'),
    COHORTFLOW_CACHE: join(root, 'cache'),
    COHORTFLOW_AWS: JSON.stringify({
      work: `${place}/work`,
      sagemaker: {
        ...{ image: IMAGE, roleArn: 'arn:aws:iam::123456789012:role/processing' },
        ...{ pollSeconds: 1, pollsPerSecond: 50 },
      },
    }),
    ...aws.environment,
  });
  const startWorker = (): Promise<TestWorker> => TestWorker.start(env.address, root, [], environment());

  beforeAll(async () => {
    [env, s3] = await Promise.all([realTime(cli!), startS3Server()]);
    place = s3.place();
    const faults = { throttle: 0.1, dropAfter: 0.1, dropBefore: 0.05 };
    // A job takes a simulated minute: longer than any round waits.
    aws = await startAwsStandIn({ images: { [IMAGE]: { simulatedSeconds: 60 } }, faults, seed: 3 });
    const files = createFiles({});
    const cases = Array.from({ length: STUDIES }, (_, index) => `C-${index}`);
    for (const id of cases) await files.write(`${place}/dicom/${id}/1.dcm`, 'not looked at');
    const rows = cases.map((id) => `${id},dicom/${id}`);
    await files.write(`${place}/cohort.csv`, ['case_id,imaging', ...rows, ''].join('\n'));
    workers.push(await startWorker());
  }, 180_000);

  afterAll(async () => {
    await workers[0]?.end('SIGKILL');
    await aws?.close();
    await env?.teardown();
    await s3?.stop();
    rmSync(root, { recursive: true, force: true });
  }, 60_000);

  const alive = (): number => aws.jobs.census().alive;

  it(
    'leave no job alive, whatever the moment, with calls throttled and answers lost',
    async () => {
      const random = seeded(11);
      let mostAlive = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const how = ENDS[round % ENDS.length]!;
        const workflowId = `ended-${round}`;
        const input = { cohort: `${place}/cohort.csv`, output: `${place}/${workflowId}`, imagingExecutor: 'sagemaker' };
        const handle = await env.client.workflow.start('imagingCohort', {
          workflowId,
          taskQueue: 'cohortflow',
          args: [input],
        });
        await sleep(random() * 4_000);
        mostAlive = Math.max(mostAlive, alive());
        if (how === 'terminate') await handle.terminate('ended from outside');
        else {
          if (how !== 'cancel') {
            await workers.splice(0)[0]?.end('SIGKILL');
            workers.push(await startWorker());
          }
          await handle.cancel();
        }
        await handle.result().catch(() => undefined);
        const below = async (): Promise<number> =>
          (await env.client.workflow.count(`RootWorkflowId = '${workflowId}' AND ExecutionStatus = 'Running'`)).count;
        while ((await below()) > 0) await sleep(200);
        if (how === 'terminate') {
          // Nobody stops what a terminated workflow had begun but the sweep.
          const swept = await cohortflow(['sweep', '--yes', '--older-than', '0', '--json'], environment());
          const left = JSON.parse(swept.stdout) as { unasked: readonly unknown[] };
          if (left.unasked.length > 0) await cohortflow(['sweep', '--yes', '--older-than', '0'], environment());
        }
        for (let waited = 0; alive() > 0 && waited < 30_000; waited += 200) await sleep(200);
        expect(alive(), `round ${round}: ${how}`).toBe(0);
      }
      expect(mostAlive).toBeGreaterThan(0);
      // No job was ever run twice.
      expect(aws.jobs.census().jobs.every(({ executions }) => executions <= 1)).toBe(true);
    },
    120_000 + ROUNDS * 120_000,
  );
});
