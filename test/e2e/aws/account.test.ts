import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFiles } from '../../../src/app/create-files.js';
import type { AwsSettings } from '../../../src/config/aws-settings.js';
import type { Files } from '../../../src/ports/files.js';
import { startAlone, type Alone } from '../../support/aws/alone.js';
import { ACCOUNT_NAME, maySpend, REAL_ACCOUNT as REAL, TEST_RUN } from '../../support/aws/real-account.js';
import { cli as cohortflow, cliJson } from '../../support/cli.js';
import { motoProgram } from '../../support/moto-server.js';
import { temporaryFolder } from '../../support/run-step.js';
import { writeSmallCohort } from '../../support/small-cohort.js';
import { realTime, temporalCli } from '../../support/temporal-servers.js';

const cli = await temporalCli();
const spends = maySpend('processing jobs of SageMaker');
const able = cli !== undefined && (REAL !== undefined || motoProgram() !== undefined);
const CASES = 3;
/** Minutes for everything that a real account is slow at: jobs start, stores show their records. */
const PATIENCE = REAL === undefined ? 5 : 60;

describe.skipIf(!able)(`an account of AWS (${ACCOUNT_NAME})`, () => {
  const root = temporaryFolder('account');
  const here = join(root, 'here');
  let env: TestWorkflowEnvironment;
  let alone: Alone | undefined;
  let settings: AwsSettings;
  let files: Files;
  let place: string;

  beforeAll(async () => {
    env = await realTime(cli!);
    if (REAL === undefined) {
      alone = await startAlone({ listen: { host: '127.0.0.1', port: 0 }, moto: motoProgram()!, scale: 10 });
      // Nothing of these tests is quantified; DRAGEN has its own.
      const { dragen: _, ...others } = alone.settings;
      settings = others;
    } else settings = REAL;
    files = createFiles(settings);
    place = `${settings.work ?? ''}/${TEST_RUN}/${crypto.randomUUID().slice(0, 8)}`;
    mkdirSync(root, { recursive: true });
    writeSmallCohort(root, CASES, [2]);
    for (const name of ['dicom', 'cohort.csv', 'clinical.csv']) await files.copy(join(root, name), `${place}/${name}`);
  }, 300_000);

  afterAll(async () => {
    if (place !== undefined) await files.remove(place);
    await alone?.close();
    await env?.teardown();
    rmSync(root, { recursive: true, force: true });
  }, 120_000);

  const environment = (): Record<string, string> => ({
    TEMPORAL_ADDRESS: env.address,
    COHORTFLOW_STATE: join(root, 'state'),
    COHORTFLOW_CACHE: join(root, 'cache'),
    COHORTFLOW_AWS: JSON.stringify(settings),
    ...alone?.environment,
  });
  const call = (...args: string[]) => cohortflow(args, environment());
  const run = (base: string, output: string, ...more: string[]) =>
    call(
      ...['run', '--cohort', `${base}/cohort.csv`, '--clinical', `${base}/clinical.csv`, '--output', output],
      ...['--fail-on', 'none', ...more],
    );

  it('has everything that a run needs, by its own account', async () => {
    const found = await call('doctor', '--profile', 'aws');
    expect(found.exitCode, found.stdout + found.stderr).toBe(0);
  }, 120_000);

  it.skipIf(!spends)(
    'computes what this machine computes, byte for byte, and its store gives the same data set',
    async () => {
      const local = await run(root, here);
      expect(local.exitCode, local.stderr).toBe(0);
      const there = `${place}/out`;
      const remote = await run(place, there, '--profile', 'aws');
      expect(remote.exitCode, remote.stderr).toBe(0);
      const entries = await files.list(join(here, 'imaging'), { recursive: true });
      expect(entries.length).toBeGreaterThan(0);
      for (const { path } of entries) {
        const name = path.slice(here.length + 1);
        expect(Buffer.from(await files.read(`${there}/${name}`)).equals(readFileSync(path)), name).toBe(true);
      }
      const own = await files.readText(`${there}/dataset.csv`);
      for (const engine of ['athena', 'duckdb']) {
        const made = await call('dataset', '--output', there, '--engine', engine);
        expect(made.exitCode, made.stderr).toBe(0);
        expect(made.stdout, engine).toBe(own);
      }
    },
    PATIENCE * 60_000,
  );

  it.skipIf(!spends)(
    'has nothing of ours alive after a run was cancelled',
    async () => {
      const output = `${place}/cancelled`;
      const ended = run(place, output, '--imaging-executor', 'sagemaker');
      // Until there is a run, there is none to cancel.
      while ((await call('cancel', '--output', output)).exitCode !== 0) await sleep(1_000);
      expect((await ended).exitCode).not.toBe(0);
      const { document } = await cliJson(['sweep'], environment());
      expect(document).toMatchObject({ alive: 0 });
    },
    PATIENCE * 60_000,
  );

  it.skipIf(!spends)(
    'is rid of what the tests made',
    async () => {
      for (const what of ['--features', '--data']) {
        const cleaned = await call('clean', '--output', `${place}/out`, what, '--yes');
        expect(cleaned.exitCode, cleaned.stderr).toBe(0);
      }
      expect(await files.names(`${place}/out`)).toEqual([]);
    },
    300_000,
  );
});
