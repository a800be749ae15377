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

    /** Waits until `there` holds; says whether it did before `until`. */
    async function becomes(there: () => boolean | Promise<boolean>, until: number, everyMs = 200): Promise<boolean> {
      while (!(await there())) {
        if (Date.now() > until) return false;
        await sleep(everyMs);
      }
      return true;
    }

    /** What the workflows of a run that do not end are waiting for: the steps, how often they were tried and why they failed. */
    async function waitsFor(workflowId: string): Promise<string> {
      const found: string[] = [];
      for await (const info of env.client.workflow.list({ query: below(workflowId) })) {
        const { raw } = await env.client.workflow.getHandle(info.workflowId).describe();
        const steps = (raw.pendingActivities ?? []).map(
          ({ activityType, attempt, lastFailure }) =>
            `${activityType?.name} (${attempt}): ${lastFailure?.message ?? 'no failure'}`,
        );
        found.push(`${info.workflowId} [${steps.join('; ')}]`);
      }
      return found.join(', ');
    }

    /** One cohort, ended at one moment. */
    async function round(number: number, random: () => number): Promise<Round> {
      const how = ENDS[number % ENDS.length]!;
      const workflowId = `ended-${number}`;
      const output = `${place}/${workflowId}`;
      const started = Date.now();
      const handle = await env.client.workflow.start(service.workflow, {
        workflowId,
        taskQueue: 'cohortflow',
        args: [{ cohort: `${place}/cohort.csv`, output, ...service.input }],
      });
      // The moment: when so many of its jobs have been given away, and a little later. How busy the machine is changes nothing.
      const given = Math.floor(random() * (CASES + 1));
      const later = random() * (given === 0 ? 3_000 : 1_500);
      const before = service.given(aws);
      if (!(await becomes(() => service.given(aws) >= before + given, started + 120_000, 20))) {
        throw new Error(`round ${number}: ${given} were never given away: ${await waitsFor(workflowId)}`);
      }
      await sleep(later);
      const met = alive();
      const ended = Date.now();
      const until = ended + (BOUND_SECONDS[how] + FAULTS_SECONDS) * 1000;
      const wrong: string[] = [];
      let lastAlive = ended;
      const look = setInterval(() => {
        if (alive() > 0) lastAlive = Date.now();
      }, 100);
      try {
        if (how === 'terminate') await handle.terminate('ended from outside');
        else {
          if (how !== 'cancel') {
            await workers.splice(0)[0]?.end('SIGKILL');
            workers.push(await startWorker());
          }
          await handle.cancel();
        }
        const running = async (): Promise<number> => (await env.client.workflow.count(below(workflowId))).count;
        if (!(await becomes(async () => (await running()) === 0, until))) {
          wrong.push(`still running: ${await waitsFor(workflowId)}`);
          await becomes(async () => (await running()) === 0, Date.now() + 600_000);
        }
        const closed = Date.now();
        // Nobody stops what a terminated workflow had begun but the sweep.
        const sweeps = how === 'terminate' ? await sweep() : 0;
        await becomes(() => alive() === 0, until);
        if (alive() > 0) wrong.push(`${alive()} alive`);
        else if (lastAlive > until) wrong.push('something alive too long');
        // The folders of a terminated run are for `cohortflow clean`: a sweep ends work, and keeps what it left.
        const left = how === 'terminate' ? [] : await leftIn(output);
        if (left.length > 0) wrong.push(`left: ${left.join(' ')}`);
        const seconds = (from: number, to: number): number => (to - from) / 1000;
        return {
          ...{ number, how, met, sweeps, wrong },
          moment: `${how} ${later.toFixed(0)} ms after ${given} were given away`,
          closedSeconds: seconds(ended, closed),
          aliveSeconds: seconds(ended, lastAlive),
          seconds: seconds(started, Date.now()),
        };
      } finally {
        clearInterval(look);
      }
    }

    it(
      'leave nothing alive, whatever the moment, with calls throttled, answers lost and work taken away',
      async () => {
        const random = seeded(SEED);
        const rounds: Round[] = [];
        for (let number = 0; number < ROUNDS; number += 1) {
          const done = await round(number, random);
          rounds.push(done);
          // A line a round: an hour's run that is broken off has said what it saw until then.
          if (ROUNDS > 10 || done.wrong.length > 0) console.warn(line(done));
        }
        const wrong = rounds.filter((one) => one.wrong.length > 0).map(line);
        console.warn(summary(rounds));
        if (ROUNDS > 10) {
          const kinds = ['throttle', 'unavailable', 'drop-before', 'drop-after', 'kill', 'interrupt'] as const;
          const counts = kinds.map((kind) => `${kind} ${aws.faults.count(kind)}`).join(', ');
          console.warn(`${ROUNDS} rounds, ${wrong.length} wrong: ${service.given(aws)} given away; ${counts}`);
        }
        expect(wrong).toEqual([]);
        expect(Math.max(...rounds.map(({ met }) => met))).toBeGreaterThan(0);
        expect(service.once(aws)).toBe(true);
      },
      120_000 + ROUNDS * 120_000,
    );
  });
}

/** A run's workflows that have not ended: the root's and all below. */
const below = (workflowId: string): string => `RootWorkflowId = '${workflowId}' AND ExecutionStatus = 'Running'`;

/** What one cohort that was ended showed. */
interface Round {
  readonly number: number;
  readonly how: (typeof ENDS)[number];
  readonly moment: string;
  /** Work alive at the moment itself. */
  readonly met: number;
  readonly sweeps: number;
  /** From the event until no workflow of the run was open. */
  readonly closedSeconds: number;
  /** From the event until nothing was alive in the account. */
  readonly aliveSeconds: number;
  readonly seconds: number;
  readonly wrong: readonly string[];
}

function line({ number, moment, met, aliveSeconds, closedSeconds, sweeps, seconds, wrong }: Round): string {
  const said = [
    `${met} alive then`,
    `nothing alive after ${aliveSeconds.toFixed(1)} s`,
    `workflows ended after ${closedSeconds.toFixed(1)} s`,
    ...(sweeps > 0 ? [`${sweeps} sweeps`] : []),
    `${seconds.toFixed(0)} s in all`,
  ];
  const verdict = wrong.length === 0 ? '' : `: WRONG: ${wrong.join('; ')}`;
  return `round ${number}, ${moment}: ${said.join(', ')}${verdict}`;
}

/** The longest that anything was alive, and that a workflow was open, for each way of ending. */
function summary(rounds: readonly Round[]): string {
  const kinds = ENDS.map((how) => {
    const ofIt = rounds.filter((one) => one.how === how);
    const most = (of: (one: Round) => number): string => Math.max(0, ...ofIt.map(of)).toFixed(0);
    return `${how}: alive ${most((one) => one.aliveSeconds)} s, workflows ${most((one) => one.closedSeconds)} s, sweeps ${most((one) => one.sweeps)}`;
  });
  return `longest after the end, of ${rounds.length}: ${kinds.join('; ')}`;
}
