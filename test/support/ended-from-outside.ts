import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFiles } from '../../src/app/create-files.js';
import type { AwsSettings } from '../../src/config/aws-settings.js';
import { layout } from '../../src/contracts/layout.js';
import type { Files } from '../../src/ports/files.js';
import { seeded, type FaultRates } from './aws/faults.js';
import { startAwsStandIn, type AwsStandIn, type StandInOptions } from './aws/stand-in.js';
import { cli as cohortflow } from './cli.js';
import { temporaryFolder } from './run-step.js';
import { hasS3Server, startS3Server, type S3Server } from './s3-server.js';
import { realTime, temporalCli } from './temporal-servers.js';
import { TestWorker } from './worker-process.js';

/** Rounds of one cohort that is ended from outside; `npm run soak` does two hundred. */
export const ROUNDS = Number(process.env['COHORTFLOW_SOAK_CANCELS'] ?? 3);
const SEED = Number(process.env['COHORTFLOW_SOAK_SEED'] ?? 11);
/** A schedule sweeps again and again: so often in a row here, after a workflow that was terminated. */
const MOST_SWEEPS = 4;
const CASES = 6;
const ENDS = ['cancel', 'terminate', 'kill the worker and cancel'] as const;

/**
 * Within so many seconds of the event nothing of a run is alive any more (docs/aws.md). A heartbeat each 45 s hears of a cancel
 * or a terminate; that the worker was killed shows when two minutes have passed without one; the rest is the service's.
 */
export const BOUND_SECONDS: Readonly<Record<(typeof ENDS)[number], number>> = {
  cancel: 120,
  terminate: 120,
  'kill the worker and cancel': 240,
};
/** What calls that fail, and are tried again after pauses, may take on top. */
const FAULTS_SECONDS = 60;

/** A service whose work is ended from outside. */
export interface EndedService {
  readonly title: string;
  readonly account: Omit<StandInOptions, 'faults' | 'seed'>;
  readonly mishaps: FaultRates;
  readonly workflow: 'imagingCohort' | 'genomicsCohort';
  readonly input: Readonly<Record<string, string>>;
  /** Puts what the cases name into S3. */
  readonly writeCohort: (place: string, files: Files, cases: readonly string[]) => Promise<void>;
  readonly settings: (place: string) => AwsSettings;
  /** Work that the service was ever given, and that costs now. */
  readonly given: (aws: AwsStandIn) => number;
  readonly alive: (aws: AwsStandIn) => number;
  /** Whether no work was done twice. */
  readonly once: (aws: AwsStandIn) => boolean;
  /** What may stay in the private folder of a run. */
  readonly keeps?: RegExp;
}

const CALLS: FaultRates = { throttle: 0.1, unavailable: 0.05, dropAfter: 0.1, dropBefore: 0.05 };
const cli = await temporalCli();

/** Ends cohorts at random moments, and looks at what is left in the account. */
export function endedFromOutside(service: EndedService): void {
  const able = cli !== undefined && hasS3Server();

  describe.skipIf(!able)(service.title, () => {
    const root = temporaryFolder('ended-from-outside');
    const workers: TestWorker[] = [];
    let env: TestWorkflowEnvironment;
    let s3: S3Server;
    let aws: AwsStandIn;
    let place: string;

    const environment = (): Record<string, string> => ({
      TEMPORAL_ADDRESS: env.address,
      COHORTFLOW_STATE: join(root, 'state'),
      COHORTFLOW_CACHE: join(root, 'cache'),
      COHORTFLOW_AWS: JSON.stringify({ work: `${place}/work`, ...service.settings(place) }),
      ...aws.environment,
    });
    const startWorker = (): Promise<TestWorker> => TestWorker.start(env.address, root, [], environment());

    beforeAll(async () => {
      [env, s3] = await Promise.all([realTime(cli!), startS3Server()]);
      place = s3.place();
      aws = await startAwsStandIn({ ...service.account, faults: { ...CALLS, ...service.mishaps }, seed: SEED });
      await service.writeCohort(
        place,
        createFiles({}),
        Array.from({ length: CASES }, (_, index) => `C-${index}`),
      );
      workers.push(await startWorker());
    }, 180_000);

    afterAll(async () => {
      await workers[0]?.end('SIGKILL');
      await aws?.close();
      await env?.teardown();
      await s3?.stop();
      rmSync(root, { recursive: true, force: true });
    }, 60_000);

    const alive = (): number => service.alive(aws);

    /** Nobody stops what a terminated workflow had begun but the sweep; a submission under way may come after one. */
    async function sweep(): Promise<number> {
      for (let sweeps = 1; ; sweeps += 1) {
        await cohortflow(['sweep', '--yes', '--older-than', '0'], environment());
        if (alive() === 0 || sweeps === MOST_SWEEPS) return sweeps;
        await sleep(2_000);
      }
    }

    /** What is left in the private folders of a run. */
    const leftIn = async (output: string): Promise<string[]> =>
      (await createFiles({}).names(layout.work(output))).filter((name) => service.keeps?.test(name) !== true);

    it(
      'leave nothing alive, whatever the moment, with calls throttled, answers lost and work taken away',
      async () => {
        const random = seeded(SEED);
        const began = Date.now();
        const wrong: string[] = [];
        let mostAlive = 0;
        let mostSweeps = 0;
        const longest = new Map<string, number>();
        const seconds = (from: number): string => ((Date.now() - from) / 1000).toFixed(1);
        for (let round = 0; round < ROUNDS; round += 1) {
          const how = ENDS[round % ENDS.length]!;
          const workflowId = `ended-${round}`;
          const output = `${place}/${workflowId}`;
          const input = { cohort: `${place}/cohort.csv`, output, ...service.input };
          const roundBegan = Date.now();
          const handle = await env.client.workflow.start(service.workflow, {
            workflowId,
            taskQueue: 'cohortflow',
            args: [input],
          });
          // The moment: when so many of its jobs have been given away, and a little later. How busy the machine is changes nothing.
          const given = Math.floor(random() * (CASES + 1));
          const later = random() * (given === 0 ? 3_000 : 1_500);
          const before = service.given(aws);
          for (let waited = 0; service.given(aws) < before + given; waited += 20) {
            if (waited > 120_000) throw new Error(`round ${round}: ${given} were never given away`);
            await sleep(20);
          }
          await sleep(later);
          const moment = `${how} ${later.toFixed(0)} ms after ${given} were given away`;
          const met = alive();
          mostAlive = Math.max(mostAlive, met);
          const ended = Date.now();
          let lastAlive = ended;
          const look = setInterval(() => {
            if (alive() > 0) lastAlive = Date.now();
          }, 100);
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
          const until = ended + (BOUND_SECONDS[how] + FAULTS_SECONDS) * 1000;
          while (alive() > 0 && Date.now() < until) await sleep(200);
          if (alive() > 0) wrong.push(`round ${round}, ${moment}: ${alive()} alive after ${seconds(ended)} s`);
          else if (lastAlive > until) wrong.push(`round ${round}, ${moment}: something alive too long`);
          clearInterval(look);
          longest.set(how, Math.max(longest.get(how) ?? 0, (lastAlive - ended) / 1000));
          // The folders of a terminated run are for `cohortflow clean`: a sweep ends work, and keeps what it left.
          const left = how === 'terminate' ? [] : await leftIn(output);
          if (left.length > 0) wrong.push(`round ${round}, ${moment}: ${left.join(' ')} left`);
          if (ROUNDS > 10) {
            console.warn(`round ${round}, ${moment}: ${met} alive then, ${seconds(roundBegan)} s`);
          }
        }
        if (ROUNDS > 10) {
          const kinds = ['throttle', 'unavailable', 'drop-before', 'drop-after', 'kill', 'interrupt'] as const;
          console.warn(
            `${ROUNDS} rounds in ${((Date.now() - began) / 60_000).toFixed(1)} minutes: ${service.given(aws)} given away, ` +
              `at most ${mostAlive} alive when the end came, ${mostSweeps} sweeps at most; ` +
              kinds.map((kind) => `${kind} ${aws.faults.count(kind)}`).join(', '),
          );
        }
        console.warn(
          `longest until nothing was alive: ${[...longest].map(([how, s]) => `${how} ${s.toFixed(0)} s`).join(', ')}`,
        );
        expect(wrong).toEqual([]);
        expect(mostAlive).toBeGreaterThan(0);
        expect(service.once(aws)).toBe(true);
      },
      120_000 + ROUNDS * 120_000,
    );
  });
}
