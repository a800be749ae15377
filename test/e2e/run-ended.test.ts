import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';
import { cohortWorkflowId } from '../../src/app/cohort-run.js';
import { seededRandom } from '../../src/domain/seeded-random.js';
import { cli, cliJson } from '../support/cli.js';
import { readCsv } from '../support/csv.js';
import { leftOf, processesWith, type OwnProcess } from '../support/own-processes.js';
import { temporaryFolder } from '../support/run-step.js';
import { writeSmallCohort, type SmallCohort } from '../support/small-cohort.js';
import { resultsOf, violations } from '../support/soak.js';
import { temporalCli } from '../support/temporal-servers.js';

const temporal = await temporalCli();
const CASES = 8;
const STEPS = 3 * CASES;
/** Makes each step so much longer that there is time to end the run in the middle. */
const SLOW = {
  NODE_OPTIONS: `--import=${pathToFileURL(join(PACKAGE_ROOT, 'test', 'support', 'slow-steps.mjs')).href}`,
  TEST_STEP_WAITS_MS: '700',
};

// Through the command line, with its own worker and server: what an analyst who changes their mind leaves behind.
describe.skipIf(temporal === undefined || process.platform !== 'linux')('a run that is ended at some moment', () => {
  const root = temporaryFolder('run-ended');
  const state = join(root, 'state');
  const env = { COHORTFLOW_STATE: state, COHORTFLOW_CACHE: join(root, 'cache') };
  const random = seededRandom(4);
  let cohort: SmallCohort;
  let wanted: ReadonlyMap<string, string>;

  beforeAll(async () => {
    cohort = writeSmallCohort(root, CASES);
    const output = join(root, 'undisturbed');
    expect((await run(output)).exitCode).toBe(0);
    wanted = resultsOf(output);
    expect(violations(output, cohort, wanted)).toEqual([]);
  }, 180_000);

  afterAll(async () => {
    await cli(['server', 'stop'], env);
    rmSync(root, { recursive: true, force: true });
  });

  function run(output: string, variables: Readonly<Record<string, string>> = {}): ReturnType<typeof cliJson> {
    return cliJson(['run', '--cohort', cohort.sheet, '--output', output, '--jobs', '2'], { ...env, ...variables });
  }

  /** Everything of ours but the server: commands, workers, processes of steps, programs. */
  function ours(): OwnProcess[] {
    return processesWith('COHORTFLOW_STATE', state).filter(({ command }) => !command.includes('server start-dev'));
  }

  function stepsDone(output: string): number {
    const folder = join(output, 'run', 'steps', 'imaging');
    if (!existsSync(folder)) return 0;
    return readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith('.json')).length;
  }

  /** Waits for a moment between the first and the last step. */
  async function untilSomeMoment(output: string): Promise<void> {
    const steps = 1 + Math.floor(random.uniform() * (STEPS / 2));
    const pause = random.uniform() * 700;
    while (stepsDone(output) < steps) await sleep(20);
    await sleep(pause);
  }

  /** Files of results that are not what an undisturbed run makes, or that only a write under way should know. */
  function unsound(output: string): string[] {
    const halves = readdirSync(output, { recursive: true }).map(String);
    const found = [...resultsOf(output)].filter(([file]) => file !== 'dataset.csv');
    return [
      ...found.filter(([file, hash]) => wanted.get(file) !== hash).map(([file]) => file),
      ...halves.filter((file) => file.endsWith('.part') || file.startsWith('run/.work/')),
    ];
  }

  async function withClient<T>(body: (client: Client) => Promise<T>): Promise<T> {
    const { document } = await cliJson(['server', 'status'], env);
    const connection = await Connection.connect({ address: String(document['address']) });
    try {
      return await body(new Client({ connection }));
    } finally {
      await connection.close();
    }
  }

  async function openBelow(workflowId: string): Promise<number> {
    const query = `RootWorkflowId = "${workflowId}" AND ExecutionStatus = "Running"`;
    return withClient(async (client) => (await client.workflow.count(query)).count);
  }

  async function expectWholeAgain(output: string): Promise<void> {
    const again = await run(output);
    expect(again.exitCode).toBe(0);
    expect(violations(output, cohort, wanted)).toEqual([]);
  }

  it('cancelled: nothing of it runs on, each case has its outcome, no file is half; and it can be finished', async () => {
    const output = join(root, 'cancelled');
    const running = run(output, SLOW);
    await untilSomeMoment(output);
    expect((await cli(['cancel', '--output', output], env)).exitCode).toBe(0);
    expect((await running).exitCode).toBe(130);
    expect(await leftOf(ours, 20)).toEqual([]);
    expect(await openBelow(cohortWorkflowId(output))).toBe(0);
    const rows = readCsv(join(output, 'run', 'outcomes.csv'));
    expect(new Set(rows.map((row) => row['case_id']))).toEqual(new Set(cohort.cases));
    const keys = rows.map((row) => `${row['case_id']} ${row['step']}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(rows.some((row) => row['outcome'] === 'cancelled')).toBe(true);
    expect(rows.every((row) => row['outcome'] === 'cancelled' || row['outcome'] === 'done')).toBe(true);
    expect(unsound(output)).toEqual([]);
    await expectWholeAgain(output);
  }, 240_000);

  it('terminated: nothing of it runs on, its cases end too, and the same command makes it whole', async () => {
    const output = join(root, 'terminated');
    const running = run(output, SLOW);
    await untilSomeMoment(output);
    const workflowId = cohortWorkflowId(output);
    await withClient((client) => client.workflow.getHandle(workflowId).terminate('by the test'));
    const { exitCode, document } = await running;
    expect({ exitCode, document }).toMatchObject({ exitCode: 1, document: { error: { code: 'Terminated' } } });
    // The run's own worker stays until what was below it has ended.
    expect(await leftOf(ours, 60)).toEqual([]);
    expect(await openBelow(workflowId)).toBe(0);
    expect(unsound(output)).toEqual([]);
    await expectWholeAgain(output);
  }, 240_000);
});
