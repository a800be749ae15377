import { cpSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli as cohortflow } from '../support/cli.js';
import { readCsv } from '../support/csv.js';
import { temporaryFolder } from '../support/run-step.js';
import { SEGMENTATION, writeSmallCohort } from '../support/small-cohort.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';

const cli = await temporalCli();
const CASES = 6;

describe.skipIf(cli === undefined)('retry, after a run has ended', () => {
  const root = temporaryFolder('retry');
  const output = join(root, 'out');
  let env: TestWorkflowEnvironment;

  beforeAll(async () => {
    env = await realTime(cli!);
  });

  afterAll(async () => {
    await env?.teardown();
    rmSync(root, { recursive: true, force: true });
  });

  const call = (...args: string[]) =>
    cohortflow(args, {
      TEMPORAL_ADDRESS: env.address,
      COHORTFLOW_STATE: join(root, 'state'),
      COHORTFLOW_CACHE: join(root, 'cache'),
    });
  const outcomes = (): string[] =>
    readCsv(join(output, 'run', 'outcomes.csv')).map((row) =>
      `${row['case_id']} ${row['step']} ${row['outcome']} ${row['code']}`.trim(),
    );

  it('runs what failed, and only that; the other cases keep their outcomes and are in all tables', async () => {
    // The second and the fourth study come without a segmentation.
    const { sheet, cases } = writeSmallCohort(root, CASES, [1, 3]);
    const first = await call('run', '--cohort', sheet, '--output', output);
    expect(first.exitCode, first.stderr).toBe(3);
    const before = outcomes();
    expect(before.filter((line) => line.endsWith('SegNotFound'))).toHaveLength(2);

    const none = await call('retry', '--failed', '--reason', 'MissingSlice', '--output', output, '--json');
    expect(none.exitCode, none.stderr).toBe(3);
    expect(JSON.parse(none.stdout)).toMatchObject({ imaging: { total: CASES, done: 0, reused: 4, failed: 2 } });
    expect(outcomes()).toEqual(before);

    // One of them is mended.
    const whole = writeSmallCohort(join(root, 'whole'), CASES);
    const mended = join('dicom', cases[1]!);
    cpSync(join(whole.sheet, '..', mended, SEGMENTATION), join(root, mended, SEGMENTATION));
    // What is not retried is not even looked at.
    renameSync(join(root, 'dicom', cases[0]!), join(root, 'dicom', 'elsewhere'));
    renameSync(join(root, 'dicom', 'elsewhere'), join(root, 'dicom', cases[0]!));
    const again = await call('retry', '--failed', '--reason', 'SegNotFound', '--output', output, '--json');
    expect(again.exitCode, again.stderr).toBe(3);
    const result = JSON.parse(again.stdout) as { imaging: unknown; dataset: { rows: number } };
    expect(result.imaging).toEqual({ total: CASES, done: 1, reused: 4, failed: 1, cancelled: 0 });
    expect(result.dataset.rows).toBe(CASES);
    const after = outcomes();
    expect(after.filter((line) => !line.startsWith(cases[1]!))).toEqual(
      before.filter((line) => !line.startsWith(cases[1]!)),
    );
    expect(after.filter((line) => line.startsWith(cases[1]!))).toEqual(
      ['convert', 'radiomics', 'overlay'].map((step) => `${cases[1]} imaging.${step} done`),
    );
    expect(readFileSync(join(output, 'report.html'), 'utf8')).toContain(cases[3]!);
    const status = await call('status', '--output', output, '--json');
    expect(JSON.parse(status.stdout)).toMatchObject({ state: 'COMPLETED', result: { failures: 1 } });
  }, 240_000);

  it.each([
    [['retry', '--output', '/nowhere'], 'say what to retry'],
    [['retry', '--failed', '--reason', 'Nonsense', '--output', '/nowhere'], 'Nonsense is no failure code'],
    [['retry', '--failed', '--output', '/nowhere'], 'knows no run'],
    [['report', '--output', '/nowhere'], 'no run has written into /nowhere'],
  ])('refuses %j', async (args, message) => {
    const { exitCode, stderr } = await call(...args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });
});
