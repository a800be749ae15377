import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFiles } from '../../../src/app/create-files.js';
import { cli as cohortflow, type CliResult } from '../../support/cli.js';
import { FeatureStoreServer, ServiceFault } from '../../support/feature-store-server.js';
import { temporaryFolder } from '../../support/run-step.js';
import { hasS3Server, startS3Server, type S3Server } from '../../support/s3-server.js';
import { writeSmallCohort } from '../../support/small-cohort.js';
import { realTime, temporalCli } from '../../support/temporal-servers.js';

const cli = await temporalCli();
const able = cli !== undefined && hasS3Server();
const CASES = 4;

describe.skipIf(!able)('a cohort whose features go to a feature store', () => {
  const root = temporaryFolder('feature-store-cohort');
  const server = new FeatureStoreServer();
  let env: TestWorkflowEnvironment;
  let s3: S3Server;
  let endpoint: string;
  let place: string;

  beforeAll(async () => {
    [env, s3, endpoint] = await Promise.all([realTime(cli!), startS3Server(), server.start()]);
    place = s3.place();
  }, 300_000);

  afterAll(async () => {
    await env?.teardown();
    await s3?.stop();
    await server.stop();
    rmSync(root, { recursive: true, force: true });
  });

  function call(...args: string[]): Promise<CliResult> {
    const settings = {
      region: 'eu-central-1',
      work: `${place}/work`,
      features: {
        offlineStore: `${place}/features`,
        roleArn: 'arn:aws:iam::123456789012:role/feature-store',
        prefix: 'e2e',
        visibleWithinMinutes: 1,
      },
    };
    return cohortflow(args, {
      TEMPORAL_ADDRESS: env.address,
      COHORTFLOW_STATE: join(root, 'state'),
      COHORTFLOW_CACHE: join(root, 'cache'),
      COHORTFLOW_AWS: JSON.stringify(settings),
      AWS_ENDPOINT_URL_SAGEMAKER: endpoint,
      AWS_ENDPOINT_URL_SAGEMAKER_FEATURESTORE_RUNTIME: endpoint,
      AWS_ENDPOINT_URL_ATHENA: endpoint,
      AWS_ENDPOINT_URL_SERVICE_QUOTAS: endpoint,
    });
  }

  it('has the same data set by the store, by its own files and of the run, and sends nothing twice', async () => {
    const { sheet, clinical } = writeSmallCohort(root, CASES, [3]);
    const output = join(root, 'out');
    const args = ['run', '--cohort', sheet, '--clinical', clinical, '--output', output, '--feature-store', 'sagemaker'];
    server.faultOf = (_action, calls) =>
      calls % 3 === 1 ? new ServiceFault('ThrottlingException', 'Rate exceeded') : undefined;
    const run = await call(...args, '--fail-on', 'none', '--json');
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
    const { featureGroups } = JSON.parse(run.stdout) as { featureGroups: { group: string; ingested?: object }[] };
    expect(featureGroups.map(({ group, ingested }) => [group, ingested])).toEqual([
      ['imaging', expect.objectContaining({ outcome: 'done', records: CASES - 1, form: 'whole' })],
      ['clinical', expect.objectContaining({ outcome: 'done', records: CASES, form: 'whole' })],
    ]);
    const own = readFileSync(join(output, 'dataset.csv'), 'utf8');
    for (const engine of ['duckdb', 'athena']) {
      const made = await call('dataset', '--output', output, '--engine', engine);
      expect(made.exitCode, made.stderr).toBe(0);
      expect(made.stdout, engine).toBe(own);
    }
    await createFiles({}).copy(output, `${place}/out`);
    for (const engine of ['duckdb', 'athena']) {
      const made = await call('dataset', '--output', `${place}/out`, '--engine', engine);
      expect(made.stdout, made.stderr).toBe(own);
    }
    const written = (): number => [...server.store.written.values()].reduce((sum, rows) => sum + rows.length, 0);
    expect(written()).toBe(2 * CASES - 1);
    const again = await call(...args, '--fail-on', 'none', '--json');
    expect(again.exitCode, again.stderr).toBe(0);
    expect(again.stdout).toContain('"reused"');
    expect(written()).toBe(2 * CASES - 1);
  }, 300_000);

  it('waits for records that the store shows some seconds later, and names the one that it does not show in time', async () => {
    const { sheet, clinical } = writeSmallCohort(join(root, 'late'), CASES);
    const output = join(root, 'late', 'out');
    const { store } = server;
    server.faultOf = () => undefined;
    store.lagsFor(86_400_000);
    const run = await call(
      ...['run', '--cohort', sheet, '--clinical', clinical, '--output', output, '--feature-store', 'sagemaker'],
    );
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
    const own = readFileSync(join(output, 'dataset.csv'), 'utf8');
    const dataset = () => call('dataset', '--output', output, '--engine', 'athena');

    const looked = server.executions.size;
    const waiting = dataset();
    // It has looked once, and seen nothing.
    while (![...server.executions.values()].slice(looked).some(({ state }) => state === 'SUCCEEDED')) await sleep(50);
    const latest = Math.max(...[...store.written.values()].flat().map(({ at }) => at));
    store.lagsFor(Date.now() - latest + 2_000);
    const made = await waiting;
    expect(made.exitCode, made.stderr).toBe(0);
    expect(made.stderr).toContain('records are not visible yet');
    expect(made.stdout).toBe(own);

    store.hides = (id) => id === 'C-02';
    const unseen = await dataset();
    expect(unseen.exitCode).not.toBe(0);
    expect(unseen.stdout).toBe('');
    expect(unseen.stderr).toContain('FeaturesNotVisible');
    expect(unseen.stderr).toMatch(/1 records of e2e-\S+ cannot be seen after 1 minutes: C-02\b/);
    expect(unseen.stderr).not.toMatch(/minutes:.*C-0[134]/);
    store.hides = () => false;
    expect((await dataset()).stdout).toBe(own);
  }, 300_000);
});
