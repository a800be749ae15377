import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFiles } from '../../../src/app/create-files.js';
import { PACKAGE_ROOT } from '../../../src/app/package-root.js';
import type { Files } from '../../../src/ports/files.js';
import { awsCliProgram } from '../../support/aws-cli.js';
import { seeded } from '../../support/aws/faults.js';
import { startAwsStandIn, type AwsStandIn } from '../../support/aws/stand-in.js';
import { cli as cohortflow } from '../../support/cli.js';
import { readCsvText } from '../../support/csv.js';
import { FeatureStoreServer, ServiceFault } from '../../support/feature-store-server.js';
import { genomeOf } from '../../support/genome.js';
import { temporaryFolder } from '../../support/run-step.js';
import { hasS3Server, startS3Server, type S3Server } from '../../support/s3-server.js';
import { sharedData } from '../../support/shared-data.js';
import { realTime, temporalCli } from '../../support/temporal-servers.js';

const CLINICAL = 'clinical/NSCLCR01Radiogenomic_DATA_LABELS_2018-05-22_1500-shifted.csv';
const AMI = 'ami-00000000000000001';
const IMAGE = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/cohortflow@sha256:${'0'.repeat(64)}`;

const cli = await temporalCli();
const sheet = sharedData('cohort.csv');
const awsCli = hasS3Server() ? awsCliProgram() : undefined;
const able = cli !== undefined && sheet !== undefined && awsCli !== undefined;
const STUDIES = 7;

describe.skipIf(!able)('the real cohort, from S3 through SageMaker jobs, DRAGEN machines and the feature store', () => {
  const root = temporaryFolder('real-on-aws');
  const here = join(root, 'here');
  let env: TestWorkflowEnvironment;
  let s3: S3Server;
  let aws: AwsStandIn;
  let files: Files;
  let there: string;
  let call: (...args: string[]) => ReturnType<typeof cohortflow>;

  beforeAll(async () => {
    [env, s3] = await Promise.all([realTime(cli!), startS3Server()]);
    files = createFiles({});
    const data = join(sheet!, '..');
    const place = s3.place();
    there = `${place}/out`;
    await files.copy(data, `${place}/data`);
    const genome = join(root, 'genome.fa');
    writeFileSync(genome, genomeOf(join(data, 'genomics/transcripts.fa'), join(data, 'genomics/annotation.gtf')));
    await files.copy(genome, `${place}/genome.fa`);

    const program = { command: process.execPath, args: [join(PACKAGE_ROOT, 'dist/processing/main.js')] };
    const features = new FeatureStoreServer();
    const dice = seeded(7);
    features.faultOf = (action) =>
      dice() < 0.3 ? new ServiceFault('ThrottlingException', `${action}: Rate exceeded`) : undefined;
    aws = await startAwsStandIn({
      ...{ images: { [IMAGE]: program }, features, seed: 5 },
      faults: { throttle: 0.3, dropAfter: 0.05, killJob: 0.1, interrupt: 0.1 },
      machines: { amis: { [AMI]: { rootGb: 50, aws: awsCli!, dragen: '4.3' } } },
    });
    aws.faults.next('CreateProcessingJob', 'drop-after');
    aws.faults.next('RunInstances', 'drop-after');
    aws.faults.strike('kill', 1);
    aws.faults.strike('interrupt', 1);
    const settings = {
      ...{ region: 'eu-central-1', work: `${place}/work` },
      sagemaker: {
        ...{ image: IMAGE, roleArn: 'arn:aws:iam::123456789012:role/processing' },
        ...{ pollSeconds: 2, pollsPerSecond: 20 },
      },
      dragen: {
        ...{ ami: AMI, instanceProfile: 'dragen', instances: 3, pollSeconds: 2 },
        ...{ subnets: ['subnet-a', 'subnet-b'], securityGroups: ['sg-1'] },
        ...{ reference: `${place}/genome.fa`, annotation: `${place}/data/genomics/annotation.gtf` },
      },
      features: {
        ...{ offlineStore: `${place}/features`, roleArn: 'arn:aws:iam::123456789012:role/features' },
        visibleWithinMinutes: 2,
      },
    };
    const environment = {
      TEMPORAL_ADDRESS: env.address,
      COHORTFLOW_STATE: join(root, 'state'),
      COHORTFLOW_AWS: JSON.stringify(settings),
      ...aws.environment,
    };
    call = (...args) => cohortflow(args, environment);
    const run = (base: string, output: string, ...more: string[]) =>
      call(
        ...['run', '--cohort', `${base}/cohort.csv`, '--clinical', `${base}/${CLINICAL}`],
        ...['--clinical-spec', 'nsclc-radiogenomics-notebook', '--output', output, ...more],
      );
    const genomics = join(data, 'genomics');
    const reference = ['--transcripts', `${genomics}/transcripts.fa`, '--annotation', `${genomics}/annotation.gtf`];
    const local = await run(data, here, ...reference);
    expect(local.exitCode, local.stderr).toBe(0);
    const remote = await run(`${place}/data`, there, '--profile', 'aws', '--genomics-executor', 'dragen');
    expect(remote.exitCode, remote.stderr).toBe(0);
  }, 1_200_000);

  afterAll(async () => {
    await aws?.close();
    await env?.teardown();
    await s3?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  it('gives the images, masks, features and clinical tables of a run here, byte for byte', async () => {
    const entries = await files.list(here, { recursive: true });
    const paths = entries
      .map(({ path }) => path.slice(here.length + 1))
      .filter((path) => /^(imaging|clinical)\//.test(path));
    expect(paths.filter((path) => path.endsWith('ct.nii.gz'))).toHaveLength(STUDIES);
    for (const path of paths) {
      const same = Buffer.from(await files.read(`${there}/${path}`)).equals(readFileSync(join(here, path)));
      expect(same, path).toBe(true);
    }
  });

  it('gives the expression of a run here, as exactly as quantification repeats itself', async () => {
    const table = (text: string): string[][] =>
      text
        .trim()
        .split('\n')
        .map((line) => line.split(','));
    const name = 'genomics/expression-counts.csv';
    const a = table(readFileSync(join(here, name), 'utf8'));
    const b = table(await files.readText(`${there}/${name}`));
    expect(b[0]).toEqual(a[0]);
    expect(b.map(([id]) => id)).toEqual(a.map(([id]) => id));
    for (const [row, cells] of a.slice(1).entries()) {
      for (const [column, cell] of cells.slice(1).entries()) {
        const [x, y] = [Number(cell), Number(b[row + 1]![column + 1])];
        expect(Math.abs(x - y), `${cells[0]} ${a[0]![column + 1]}`).toBeLessThanOrEqual(0.5 + 0.01 * Math.max(x, y));
      }
    }
  });

  it('gives the data set of a run here, and the feature store the same by Athena', async () => {
    const text = await files.readText(`${there}/dataset.csv`);
    const [mine, other] = [readFileSync(join(here, 'dataset.csv'), 'utf8'), text].map(readCsvText);
    expect(other).toHaveLength(mine!.length);
    const genes = new Set(
      readFileSync(join(here, 'genomics/expression-tpm.csv'), 'utf8').split('\n', 1)[0]!.split(','),
    );
    let compared = 0;
    for (const [at, row] of mine!.entries()) {
      for (const [column, value] of Object.entries(row)) {
        const gene = column.replace(/^[a-z]+[_.]/, '');
        if (/event_time$/i.test(column) || genes.has(column) || genes.has(gene)) continue;
        expect(other![at]![column], `${row['case_id']} ${column}`).toBe(value);
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(mine!.length * 100);
    const athena = await call('dataset', '--output', there, '--engine', 'athena');
    expect(athena.exitCode, athena.stderr).toBe(0);
    expect(athena.stdout).toBe(text);
  }, 300_000);

  it('did so with calls throttled, answers lost, jobs killed and machines taken back, and leaves nothing alive', async () => {
    const { alive, jobs } = aws.jobs.census();
    for (const kind of ['throttle', 'drop-after', 'kill', 'interrupt'] as const) {
      expect(aws.faults.count(kind), kind).toBeGreaterThan(0);
    }
    expect(alive).toBe(0);
    expect(jobs.filter(({ status }) => status === 'Completed')).toHaveLength(STUDIES);
    expect(jobs.every(({ executions }) => executions <= 1)).toBe(true);
    // Machines of a pool wait a quarter of an hour for more work; until then they belong to nobody.
    const swept = await call('sweep', '--older-than', '0', '--unknown', '--yes');
    expect(swept.exitCode, swept.stderr).toBe(0);
    expect(aws.machines.census().alive).toBe(0);
  }, 300_000);
});
