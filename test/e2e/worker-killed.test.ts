import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { descendantsOf } from '../../src/adapters/local/process-tree.js';
import type { CohortResult } from '../../src/contracts/results.js';
import { readCsv } from '../support/csv.js';
import { temporaryFolder } from '../support/run-step.js';
import { writeSmallCohort, type SmallCohort } from '../support/small-cohort.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { TestWorker } from '../support/worker-process.js';

const cli = await temporalCli();
const run = promisify(execFile);
// Enough that a kill falls into their middle, also where the machine has other work and this process sees the first late.
const CASES = 14;
const STEPS = ['imaging.convert', 'imaging.radiomics', 'imaging.overlay'];

describe.skipIf(cli === undefined)('a cohort started with the Temporal CLI', () => {
  const root = temporaryFolder('e2e');
  let env: TestWorkflowEnvironment;
  let cohort: SmallCohort;
  const workers: TestWorker[] = [];

  beforeAll(async () => {
    cohort = writeSmallCohort(root, CASES, [4]);
    env = await realTime(cli!);
  });

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.end('SIGKILL')));
  });

  afterAll(async () => {
    await env?.teardown();
    rmSync(root, { recursive: true, force: true });
  });

  async function startWorker(options: readonly string[]): Promise<TestWorker> {
    const worker = await TestWorker.start(env.address, root, options);
    workers.push(worker);
    return worker;
  }

  /** `temporal workflow start`, as an operator types it. */
  async function start(type: string, workflowId: string, input: unknown): Promise<void> {
    const what = ['--type', type, '--task-queue', 'cohortflow', '--workflow-id', workflowId];
    const args = ['workflow', 'start', '--address', env.address, ...what, '--input', JSON.stringify(input)];
    await run(cli!, args);
  }

  function resultOf(workflowId: string): Promise<CohortResult> {
    return env.client.workflow.getHandle(workflowId).result() as Promise<CohortResult>;
  }

  function outcomesOf(output: string): ReturnType<typeof readCsv> {
    return readCsv(join(output, 'run', 'outcomes.csv'));
  }

  /** What a run computed, without its times. */
  function resultsOf(output: string): Record<string, string> {
    const found: Record<string, string> = {};
    for (const id of cohort.cases.filter((name) => !cohort.without.includes(name))) {
      for (const name of ['ct.nii.gz', 'seg.nii.gz', 'features.json', 'overlay-ortho.png', 'overlay-z.png']) {
        found[`${id}/${name}`] = readFileSync(join(output, 'imaging', id, name)).toString('base64');
      }
    }
    found['dataset.csv'] = readFileSync(join(output, 'dataset.csv'), 'utf8');
    return found;
  }

  function expectWhole(result: CohortResult, output: string): void {
    expect(result.imaging).toEqual({ total: CASES, done: CASES - 1, reused: 0, failed: 1, cancelled: 0 });
    const outcomes = outcomesOf(output);
    const keys = outcomes.map((row) => `${row['case_id']} ${row['step']}`);
    expect(keys).toEqual(
      cohort.cases.flatMap((id) =>
        cohort.without.includes(id) ? [`${id} imaging.convert`] : STEPS.map((step) => `${id} ${step}`),
      ),
    );
    for (const row of outcomes) {
      const failed = cohort.without.includes(row['case_id']!);
      expect(row['outcome']).toBe(failed ? 'failed' : 'done');
      expect(row['code']).toBe(failed ? 'SegNotFound' : '');
    }
    const rows = readCsv(join(output, 'dataset.csv'));
    expect(rows.map((row) => row['case_id'])).toEqual(cohort.cases);
    expect(existsSync(join(output, 'report.html'))).toBe(true);
    expect(existsSync(join(output, 'run', '.work'))).toBe(false);
  }

  it('does the whole of imagingCohort from `cohort` and `output` alone', async () => {
    const worker = await startWorker(['--jobs', '2']);
    const output = join(root, 'undisturbed');
    await start('imagingCohort', 'undisturbed', { cohort: cohort.sheet, output });
    const result = await resultOf('undisturbed');
    expectWhole(result, output);
    expect(result.featureGroups).toMatchObject([{ group: 'imaging', outcome: 'done', rows: CASES - 1 }]);
    expect(await worker.end('SIGTERM')).toBe(0);
  }, 180_000);

  it('goes on after kill -9 of the worker: finished studies are not done again, the results are the same', async () => {
    const worker = await startWorker(['--jobs', '1']);
    const output = join(root, 'killed');
    await start('imagingCohort', 'killed', { cohort: cohort.sheet, output });
    const finished = (): string[] =>
      cohort.cases.filter((id) => existsSync(join(output, 'run', 'steps', 'imaging', id, 'imaging.overlay.json')));
    while (finished().length === 0) await sleep(20);
    const children = await descendantsOf(worker.pid);
    expect(children.length).toBeGreaterThan(0);
    await worker.end('SIGKILL');
    const before = finished();
    expect(before.length).toBeLessThan(CASES - 1);
    const timeOf = (id: string): number => statSync(join(output, 'imaging', id, 'features.json')).mtimeMs;
    const times = before.map(timeOf);

    await startWorker(['--jobs', '2']);
    expectWhole(await resultOf('killed'), output);
    expect(before.map(timeOf)).toEqual(times);
    // What the killed worker had started has ended by itself.
    expect(children.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    const undisturbed = resultsOf(join(root, 'undisturbed'));
    const found = resultsOf(output);
    expect(Object.keys(found).filter((name) => found[name] !== undisturbed[name])).toEqual([]);
  }, 240_000);

  it('goes on when a worker is told to end in the middle, and when a child process of it is killed', async () => {
    const worker = await startWorker(['--jobs', '1']);
    const output = join(root, 'restarted');
    await start('imagingCohort', 'restarted', { cohort: cohort.sheet, output });
    const steps = join(output, 'run', 'steps', 'imaging');
    while (!existsSync(join(steps, cohort.cases[0]!, 'imaging.overlay.json'))) await sleep(20);
    for (const child of await descendantsOf(worker.pid)) process.kill(child, 'SIGKILL');
    while (!existsSync(join(steps, cohort.cases[1]!, 'imaging.overlay.json'))) await sleep(20);
    expect(await worker.end('SIGTERM')).toBe(0);
    await startWorker(['--jobs', '2']);
    expectWhole(await resultOf('restarted'), output);
  }, 180_000);

  it('refuses a second workflow on the same output while the first runs, and leaves the first alone', async () => {
    await startWorker(['--jobs', '1']);
    const output = join(root, 'shared');
    await start('imagingCohort', 'owner', { cohort: cohort.sheet, output });
    while (!existsSync(join(output, 'run', 'run.json'))) await sleep(20);
    await start('imagingCohort', 'intruder', { cohort: cohort.sheet, output });
    await expect(resultOf('intruder')).rejects.toMatchObject({ cause: { type: 'OutputBusy' } });
    expectWhole(await resultOf('owner'), output);
  }, 180_000);

  it('cancels: children end, what was under way or not begun is recorded, a new run finishes the rest', async () => {
    await startWorker(['--jobs', '1']);
    const output = join(root, 'cancelled');
    const input = { cohort: cohort.sheet, clinical: cohort.clinical, output, concurrency: 2 };
    await start('multimodalCohort', 'cancelled', input);
    const first = join(output, 'run', 'steps', 'imaging', cohort.cases[0]!, 'imaging.overlay.json');
    while (!existsSync(first)) await sleep(20);
    await run(cli!, ['workflow', 'cancel', '--address', env.address, '--workflow-id', 'cancelled']);
    await expect(resultOf('cancelled')).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    const open = await run(cli!, [
      ...['workflow', 'count', '--address', env.address],
      ...['--query', "RootWorkflowId = 'cancelled' AND ExecutionStatus = 'Running'"],
    ]);
    expect(open.stdout).toContain('Total: 0');
    const ends = new Map(outcomesOf(output).map((row) => [row['case_id']!, row['outcome']!]));
    expect([...ends.keys()].filter((id) => id !== '')).toEqual(cohort.cases);
    expect(ends.get(cohort.cases.at(-1)!)).toBe('cancelled');

    await start('multimodalCohort', 'cancelled', input);
    const result = await resultOf('cancelled');
    expect(result.imaging).toMatchObject({ total: CASES, failed: 1, cancelled: 0 });
    expect(result.imaging!.reused).toBeGreaterThanOrEqual(1);
    expect(['done', 'reused']).toContain(result.clinical?.outcome);
  }, 240_000);
});
