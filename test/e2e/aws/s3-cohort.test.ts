import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFiles } from '../../../src/app/create-files.js';
import type { Files } from '../../../src/ports/files.js';
import { cli as cohortflow } from '../../support/cli.js';
import { temporaryFolder } from '../../support/run-step.js';
import { hasS3Server, startS3Server, type S3Server } from '../../support/s3-server.js';
import { writeSmallCohort } from '../../support/small-cohort.js';
import { realTime, temporalCli } from '../../support/temporal-servers.js';

const cli = await temporalCli();
const able = cli !== undefined && hasS3Server();
const CASES = 4;

/** Paths of results that must not depend on where they lie, below an output. */
function results(cases: readonly string[]): readonly string[] {
  const ofCase = ['ct.nii.gz', 'seg.nii.gz', 'features.json', 'overlay-ortho.png', 'conversion.json'];
  return [
    'dataset.csv',
    'clinical/features.csv',
    ...cases.flatMap((id) => ofCase.map((name) => `imaging/${id}/${name}`)),
  ];
}

describe.skipIf(!able)('a cohort in S3', () => {
  const root = temporaryFolder('s3-cohort');
  let env: TestWorkflowEnvironment;
  let s3: S3Server;
  let files: Files;
  let place: string;

  beforeAll(async () => {
    [env, s3] = await Promise.all([realTime(cli!), startS3Server()]);
    files = createFiles({});
    place = s3.place();
  });

  afterAll(async () => {
    await env?.teardown();
    await s3?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  const call = (...args: string[]) =>
    cohortflow(args, {
      TEMPORAL_ADDRESS: env.address,
      COHORTFLOW_STATE: join(root, 'state'),
      COHORTFLOW_CACHE: join(root, 'cache'),
    });

  it('gives the same results as on this machine, byte for byte, and reuses them', async () => {
    const { sheet, clinical, cases } = writeSmallCohort(root, CASES);
    const here = join(root, 'out');
    const there = `${place}/out`;
    const local = await call('run', '--cohort', sheet, '--clinical', clinical, '--output', here);
    expect(local.exitCode, local.stderr).toBe(0);

    await files.copy(join(root, 'dicom'), `${place}/dicom`);
    for (const name of ['cohort.csv', 'clinical.csv']) await files.copy(join(root, name), `${place}/${name}`);
    const inputs = ['--cohort', `${place}/cohort.csv`, '--clinical', `${place}/clinical.csv`];
    const first = await call('run', ...inputs, '--output', there, '--json');
    expect(first.exitCode, first.stdout + first.stderr).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ imaging: { total: CASES, done: CASES }, failures: 0 });
    for (const path of results(cases)) {
      const same = Buffer.from(await files.read(`${there}/${path}`)).equals(readFileSync(join(here, path)));
      expect(same, path).toBe(true);
    }
    expect(await files.readText(`${there}/report.html`)).toContain('<img');

    const second = await call('run', ...inputs, '--output', there, '--json');
    expect(second.exitCode, second.stderr).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({ imaging: { total: CASES, done: 0, reused: CASES } });

    const status = await call('status', '--output', there, '--json');
    expect(status.exitCode, status.stderr).toBe(0);

    // One study changes: only that one is computed again.
    await files.copy(`${place}/dicom/${cases[1]}`, `${place}/dicom/${cases[0]}`);
    const third = await call('run', ...inputs, '--output', there, '--json');
    expect(JSON.parse(third.stdout)).toMatchObject({ imaging: { total: CASES, done: 1, reused: CASES - 1 } });

    const listed = await call('clean', '--output', there, '--json');
    expect(listed.exitCode, listed.stderr).toBe(0);
    const cleaned = await call('clean', '--output', there, '--yes');
    expect(cleaned.exitCode, cleaned.stderr).toBe(0);

    const forgotten = await call('forget', cases[2]!, '--output', there, '--yes');
    expect(forgotten.exitCode, forgotten.stderr).toBe(0);
    expect(await files.stat(`${there}/imaging/${cases[2]}`)).toBeUndefined();
    expect(await files.readText(`${there}/dataset.csv`)).not.toContain(cases[2]);
  }, 400_000);

  it('names what is not in S3 before anything starts', async () => {
    await files.write(`${place}/faulty.csv`, 'case_id,imaging\nA,dicom/none\n');
    const run = await call('run', '--cohort', `${place}/faulty.csv`, '--output', `${place}/faulty`);
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain('does not exist');
    const none = await call('run', '--cohort', `${place}/none.csv`, '--output', `${place}/faulty`);
    expect(none.exitCode).toBe(2);
    expect(none.stderr).toContain('none.csv: nothing is there');
  });
});
