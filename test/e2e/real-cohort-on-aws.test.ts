import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFiles } from '../../src/app/create-files.js';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';
import type { Files } from '../../src/ports/files.js';
import { startAwsStandIn, type AwsStandIn } from '../support/aws/stand-in.js';
import { cli as cohortflow } from '../support/cli.js';
import { temporaryFolder } from '../support/run-step.js';
import { hasS3Server, startS3Server, type S3Server } from '../support/s3-server.js';
import { sharedData } from '../support/shared-data.js';
import { realTime, temporalCli } from '../support/temporal-servers.js';

const CLINICAL = 'clinical/NSCLCR01Radiogenomic_DATA_LABELS_2018-05-22_1500-shifted.csv';
const IMAGE = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/cohortflow@sha256:${'0'.repeat(64)}`;

const cli = await temporalCli();
const sheet = sharedData('cohort.csv');
const able = cli !== undefined && sheet !== undefined && hasS3Server();

describe.skipIf(!able)('the real cohort, from S3 through SageMaker jobs to S3', () => {
  const root = temporaryFolder('real-on-aws');
  const here = join(root, 'here');
  let env: TestWorkflowEnvironment;
  let s3: S3Server;
  let aws: AwsStandIn;
  let files: Files;
  let there: string;

  beforeAll(async () => {
    [env, s3] = await Promise.all([realTime(cli!), startS3Server()]);
    files = createFiles({});
    const data = join(sheet!, '..');
    const place = s3.place();
    there = `${place}/out`;
    await files.copy(data, `${place}/data`);
    const program = { command: process.execPath, args: [join(PACKAGE_ROOT, 'dist/processing/main.js')] };
    const faults = { throttle: 0.3, dropAfter: 0.05, killJob: 0.1 };
    aws = await startAwsStandIn({ images: { [IMAGE]: program }, faults, seed: 5 });
    aws.faults.next('CreateProcessingJob', 'drop-after');
    aws.faults.killNext(1);
    const sagemaker = {
      ...{ image: IMAGE, roleArn: 'arn:aws:iam::123456789012:role/processing' },
      ...{ pollSeconds: 2, pollsPerSecond: 20 },
    };
    const environment = {
      TEMPORAL_ADDRESS: env.address,
      COHORTFLOW_STATE: join(root, 'state'),
      COHORTFLOW_AWS: JSON.stringify({ work: `${place}/work`, sagemaker }),
      ...aws.environment,
    };
    const run = (base: string, output: string, ...more: string[]) =>
      cohortflow(
        [
          ...['run', '--cohort', `${base}/cohort.csv`, '--clinical', `${base}/${CLINICAL}`],
          ...['--clinical-spec', 'nsclc-radiogenomics-notebook', '--output', output],
          ...['--transcripts', `${base}/genomics/transcripts.fa`, '--annotation', `${base}/genomics/annotation.gtf`],
          ...more,
        ],
        environment,
      );
    const local = await run(data, here);
    expect(local.exitCode, local.stderr).toBe(0);
    const remote = await run(`${place}/data`, there, '--imaging-executor', 'sagemaker');
    expect(remote.exitCode, remote.stderr).toBe(0);
  }, 900_000);

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
    expect(paths.filter((path) => path.endsWith('ct.nii.gz'))).toHaveLength(7);
    for (const path of paths) {
      const same = Buffer.from(await files.read(`${there}/${path}`)).equals(readFileSync(join(here, path)));
      expect(same, path).toBe(true);
    }
  });

  it('gives the expression of a run here, as exactly as Salmon repeats itself', async () => {
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

  it('did so with calls throttled, answers lost and jobs killed, and leaves nothing alive', () => {
    const { alive, jobs } = aws.jobs.census();
    for (const kind of ['throttle', 'drop-after', 'kill'] as const) {
      expect(aws.faults.count(kind), kind).toBeGreaterThan(0);
    }
    expect(alive).toBe(0);
    expect(jobs.filter(({ status }) => status === 'Completed')).toHaveLength(7);
    expect(jobs.every(({ executions }) => executions <= 1)).toBe(true);
  });
});
