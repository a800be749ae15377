import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';
import { descendantsOf } from '../../src/adapters/local/process-tree.js';
import type { CohortResult } from '../../src/contracts/results.js';
import { readCsv } from '../support/csv.js';
import { temporaryFolder } from '../support/run-step.js';
import { writeSmallCohort, type SmallCohort } from '../support/small-cohort.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';
import { TestWorker } from '../support/worker-process.js';

const cli = await temporalCli();
const FAULTY_MODULE = pathToFileURL(join(PACKAGE_ROOT, 'test', 'support', 'faulty-steps.mjs')).href;
const FAULTS = {
  'C-02': 'exits',
  'C-03': 'is killed once',
  'C-04': 'outgrows its memory',
  'C-05': 'crashes',
  'C-06': 'fails with a code that nobody knows',
} as const;
const CASES = 7;

describe.skipIf(cli === undefined || process.platform !== 'linux')('a cohort whose step processes break', () => {
  const root = temporaryFolder('faulty-processes');
  const output = join(root, 'out');
  let env: TestWorkflowEnvironment;
  let cohort: SmallCohort;
  let worker: TestWorker | undefined;

  beforeAll(async () => {
    cohort = writeSmallCohort(root, CASES);
    env = await realTime(cli!);
  });

  afterAll(async () => {
    await worker?.end('SIGKILL');
    await env?.teardown();
    rmSync(root, { recursive: true, force: true });
  });

  async function run(): Promise<CohortResult> {
    const input = { cohort: cohort.sheet, output };
    const started = { workflowId: 'faulty', taskQueue: 'cohortflow', args: [input] };
    return (await env.client.workflow.execute('imagingCohort', started)) as CohortResult;
  }

  it('ends each of those cases with its code after as many attempts as it deserves, and does the others', async () => {
    worker = await TestWorker.start(env.address, root, ['--jobs', '2', '--memory-per-job', '400'], {
      NODE_OPTIONS: `--import=${FAULTY_MODULE}`,
      TEST_STEP_FAULTS: JSON.stringify(FAULTS),
      TEST_STEP_FOLDER: root,
    });
    const result = await run();
    expect(result.imaging).toEqual({ total: CASES, done: 3, reused: 0, failed: 4, cancelled: 0 });
    const rows = readCsv(join(output, 'run', 'outcomes.csv')).filter((row) => row['step'] === 'imaging.convert');
    const ends = rows.map((row) => `${row['case_id']} ${row['outcome']} ${row['code']} ${row['attempts']}`);
    expect(ends).toEqual([
      'C-01 done  1',
      'C-02 failed ProcessLost 4',
      'C-03 done  2',
      'C-04 failed OutOfMemory 1',
      'C-05 failed ProcessLost 4',
      'C-06 failed InternalError 1',
      'C-07 done  1',
    ]);
    expect(rows[3]!['message']).toContain('400 MB');
    expect(readCsv(join(output, 'dataset.csv')).map((row) => row['case_id'])).toEqual(cohort.cases);
    expect(readdirSync(join(output, 'imaging')).sort()).toEqual(['C-01', 'C-03', 'C-07']);
    expect(existsSync(join(output, 'run', '.work'))).toBe(false);
    expect(await worker.end('SIGTERM')).toBe(0);
  }, 180_000);

  it('is whole when it runs again on processes that work, and nothing is done twice', async () => {
    worker = await TestWorker.start(env.address, root, ['--jobs', '2']);
    const result = await run();
    expect(result.imaging).toEqual({ total: CASES, done: 4, reused: 3, failed: 0, cancelled: 0 });
    const processes = await descendantsOf(worker.pid);
    expect(processes.length).toBeGreaterThan(0);
    expect(await worker.end('SIGTERM')).toBe(0);
    const alive = new Set(readdirSync('/proc'));
    expect(processes.filter((pid) => alive.has(String(pid)))).toEqual([]);
  }, 120_000);
});
