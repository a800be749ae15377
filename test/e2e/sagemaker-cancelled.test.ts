import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFiles } from '../../src/app/create-files.js';
import { layout } from '../../src/contracts/layout.js';
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
const SEED = Number(process.env['COHORTFLOW_SOAK_SEED'] ?? 11);
/** A schedule sweeps again and again: so often in a row here, after a workflow that was terminated. */
const MOST_SWEEPS = 4;
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
    const faults = { throttle: 0.1, unavailable: 0.05, dropAfter: 0.1, dropBefore: 0.05, killJob: 0.2 };
    // A job takes ten minutes: longer than any round waits, but for those that are killed in their first seconds.
    const images = { [IMAGE]: { simulatedSeconds: 600 } };
    // Cohorts share the account's quota. What a terminated one held is given on only by the pool's lease, after minutes:
    // with room for all of them no round waits for it.
    aws = await startAwsStandIn({ images, startSeconds: 0.5, quota: 100 * ROUNDS, faults, seed: SEED });
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

  /** Nobody stops what a terminated workflow had begun but the sweep; a submission under way may come after one. */
  async function sweep(): Promise<number> {
    for (let sweeps = 1; ; sweeps += 1) {
      await cohortflow(['sweep', '--yes', '--older-than', '0'], environment());
      if (alive() === 0 || sweeps === MOST_SWEEPS) return sweeps;
      await sleep(2_000);
    }
  }

  /** What is left in the private folders of a run. */
  const leftIn = (output: string): Promise<string[]> => createFiles({}).names(layout.work(output));

  it(
    'leave no job alive, whatever the moment, with calls throttled, answers lost and jobs killed',
    async () => {
      const random = seeded(SEED);
      const began = Date.now();
      const wrong: string[] = [];
      let mostAlive = 0;
      let mostSweeps = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const how = ENDS[round % ENDS.length]!;
        const workflowId = `ended-${round}`;
        const output = `${place}/${workflowId}`;
        const input = { cohort: `${place}/cohort.csv`, output, imagingExecutor: 'sagemaker' };
        const roundBegan = Date.now();
        const handle = await env.client.workflow.start('imagingCohort', {
          workflowId,
          taskQueue: 'cohortflow',
          args: [input],
        });
        // The moment: when so many of its jobs have been given away, and a little later. How busy the machine is changes nothing.
        const given = Math.floor(random() * (STUDIES + 1));
        const later = random() * (given === 0 ? 3_000 : 1_500);
        const before = aws.jobs.census().jobs.length;
        for (let waited = 0; aws.jobs.census().jobs.length < before + given && waited < 60_000; waited += 20) {
          await sleep(20);
        }
        await sleep(later);
        const moment = `${how} ${later.toFixed(0)} ms after ${given} jobs`;
        const met = alive();
        mostAlive = Math.max(mostAlive, met);
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
        if (how === 'terminate') mostSweeps = Math.max(mostSweeps, await sweep());
        for (let waited = 0; alive() > 0 && waited < 30_000; waited += 200) await sleep(200);
        if (alive() > 0) wrong.push(`round ${round}, ${moment}: ${alive()} jobs alive`);
        // The folders of a terminated run are for `cohortflow clean`: a sweep ends work, and keeps what it left.
        const left = how === 'terminate' ? [] : await leftIn(output);
        if (left.length > 0) wrong.push(`round ${round}, ${moment}: ${left.join(' ')} left`);
        if (ROUNDS > 10) {
          const took = ((Date.now() - roundBegan) / 1000).toFixed(1);
          console.warn(`round ${round}, ${moment}: ${met} jobs alive then, ${took} s`);
        }
      }
      const { jobs } = aws.jobs.census();
      if (ROUNDS > 10) {
        const kinds = ['throttle', 'unavailable', 'drop-before', 'drop-after', 'kill'] as const;
        console.warn(
          `${ROUNDS} rounds in ${((Date.now() - began) / 60_000).toFixed(1)} minutes: ${jobs.length} jobs, ` +
            `at most ${mostAlive} alive when the end came, ${mostSweeps} sweeps at most; ` +
            kinds.map((kind) => `${kind} ${aws.faults.count(kind)}`).join(', '),
        );
      }
      expect(wrong).toEqual([]);
      expect(mostAlive).toBeGreaterThan(0);
      // No job was ever run twice.
      expect(jobs.every(({ executions }) => executions <= 1)).toBe(true);
    },
    120_000 + ROUNDS * 120_000,
  );
});
