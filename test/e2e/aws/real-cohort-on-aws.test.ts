import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFiles } from '../../../src/app/create-files.js';
import { PACKAGE_ROOT } from '../../../src/app/package-root.js';
import type { Files } from '../../../src/ports/files.js';
import { awsCliProgram } from '../../support/aws-cli.js';
import { badDay } from '../../support/aws/bad-day.js';
import { seeded } from '../../support/aws/faults.js';
import { startAwsStandIn, type AwsStandIn } from '../../support/aws/stand-in.js';
import { cli as cohortflow } from '../../support/cli.js';
import { readCsvText } from '../../support/csv.js';
import { FaultyS3 } from '../../support/faulty-s3.js';
import { FeatureStoreServer, ServiceFault } from '../../support/feature-store-server.js';
import { genomeOf } from '../../support/genome.js';
import { groupRows, parquetRows } from '../../support/parquet-rows.js';
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
const SAMPLES = 6;
/** Shares of all calls, whatever the service. */
const RATES = { throttle: 0.3, lost: 0.05 };
const TPM = 'genomics/expression-tpm.csv';
const COUNTS = 'genomics/expression-counts.csv';

/** The sheet of the same cohort with the transcripts that another run found, instead of reads. */
function quantified(rows: readonly Record<string, string>[], data: string, output: string): string {
  const cases = [...new Set(rows.map((row) => row['case_id']!))].map((id) => {
    const imaging = rows.find((row) => row['case_id'] === id && row['imaging'] !== '')?.['imaging'];
    const quant = join(output, 'genomics', id, 'quant.sf');
    return [id, imaging === undefined ? '' : join(data, imaging), existsSync(quant) ? quant : ''].join(',');
  });
  return ['case_id,imaging,quant', ...cases, ''].join('\n');
}

/** How two values differ, as a share of the larger; what is less than half of one beside the other is nothing. */
function difference(mine: string, other: string): number {
  const [x, y] = [Number(mine), Number(other)];
  const apart = Math.abs(x - y);
  return apart <= 0.5 ? 0 : apart / Math.max(x, y);
}

/** Values of expression that were found twice in the same reads. */
type Pairs = readonly { readonly where: string; readonly mine: string; readonly other: string }[];

/**
 * Salmon with several threads does not repeat itself: of reads that fit two transcripts of a gene, a short one and a long one,
 * it gives each a share that depends on the order of its work, so that the reads of a gene stay and its TPM does not. In two
 * runs on one machine one TPM in a hundred is another by more than a hundredth, and single ones by a third.
 */
function expectTpmAlike(pairs: Pairs): void {
  const apart = pairs.map(({ where, mine, other }) => ({ where, mine, other, by: difference(mine, other) }));
  expect(apart.filter(({ by }) => !(by <= 0.5))).toEqual([]);
  expect(apart.filter(({ by }) => by > 0.01).length).toBeLessThanOrEqual(0.03 * pairs.length);
}

/** Reads of a gene are the same but for rounding. */
function expectCountsAlike(pairs: Pairs): void {
  expect(pairs.filter(({ mine, other }) => !(difference(mine, other) <= 0.001))).toEqual([]);
}

describe.skipIf(!able)('the real cohort, from S3 through SageMaker jobs, DRAGEN machines and the feature store', () => {
  const root = temporaryFolder('real-on-aws');
  const here = join(root, 'here');
  /** What came to be in S3, as it is there. */
  const copied = join(root, 'copied');
  const features = new FeatureStoreServer();
  /** Of the run here whose reads were quantified here. */
  const own = new Map<string, string>();
  let lostByStore = 0;
  let env: TestWorkflowEnvironment;
  let s3: S3Server;
  let faultyS3: FaultyS3;
  let aws: AwsStandIn;
  let there: string;
  let call: (...args: string[]) => ReturnType<typeof cohortflow>;

  beforeAll(async () => {
    [env, s3] = await Promise.all([realTime(cli!), startS3Server()]);
    const files: Files = createFiles({});
    const data = join(sheet!, '..');
    const place = s3.place();
    there = `${place}/out`;
    await files.copy(data, `${place}/data`);
    const genome = join(root, 'genome.fa');
    writeFileSync(genome, genomeOf(join(data, 'genomics/transcripts.fa'), join(data, 'genomics/annotation.gtf')));
    await files.copy(genome, `${place}/genome.fa`);

    const program = { command: process.execPath, args: [join(PACKAGE_ROOT, 'dist/processing/main.js')] };
    const dice = seeded(7);
    features.faultOf = (action) => {
      const thrown = dice();
      if (thrown < RATES.throttle) return new ServiceFault('ThrottlingException', `${action}: Rate exceeded`);
      if (thrown >= RATES.throttle + RATES.lost) return undefined;
      lostByStore += 1;
      return 'lose';
    };
    faultyS3 = await FaultyS3.start(s3.endpoint);
    faultyS3.faultOf = badDay(RATES, 3);
    aws = await startAwsStandIn({
      ...{ images: { [IMAGE]: program }, features, s3: faultyS3.endpoint, seed: 5 },
      faults: { throttle: RATES.throttle, dropAfter: RATES.lost, killJob: 0.1, interrupt: 0.1 },
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
    const run = (cohort: string, base: string, output: string, ...more: string[]) =>
      call(
        ...['run', '--cohort', cohort, '--clinical', `${base}/${CLINICAL}`],
        ...['--clinical-spec', 'nsclc-radiogenomics-notebook', '--output', output, ...more],
      );
    const genomics = join(data, 'genomics');
    const annotation = ['--annotation', `${genomics}/annotation.gtf`];
    const local = await run(sheet!, data, here, '--transcripts', `${genomics}/transcripts.fa`, ...annotation);
    expect(local.exitCode, local.stderr).toBe(0);
    const remote = await run(
      `${place}/data/cohort.csv`,
      `${place}/data`,
      there,
      '--profile',
      'aws',
      '--genomics-executor',
      'dragen',
    );
    expect(remote.exitCode, remote.stderr).toBe(0);

    await files.copy(there, copied);
    for (const name of [TPM, COUNTS, 'dataset.csv']) own.set(name, readFileSync(join(here, name), 'utf8'));
    // Once more here, on the transcripts that the machines found: from there on everything is exact.
    const again = join(root, 'cohort.csv');
    writeFileSync(again, quantified(readCsvText(readFileSync(sheet!, 'utf8')), data, copied));
    const exact = await run(again, data, here, ...annotation);
    expect(exact.exitCode, exact.stderr).toBe(0);
  }, 1_200_000);

  afterAll(async () => {
    await aws?.close();
    await env?.teardown();
    await faultyS3?.stop();
    await s3?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  const text = (name: string): string => readFileSync(join(copied, name), 'utf8');

  /** Files of a run here and there, but for those whose bytes hold how they came to be. */
  function expectSameFiles(folder: string, but = /$^/): readonly string[] {
    const paths = (base: string): string[] =>
      readdirSync(join(base, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(base.length + 1))
        .filter((path) => !but.test(path))
        .sort();
    const all = paths(here);
    expect(paths(copied)).toEqual(all);
    for (const path of all) {
      expect(readFileSync(join(copied, path)).equals(readFileSync(join(here, path))), path).toBe(true);
    }
    return all;
  }

  it('gives the images, masks, features and clinical tables of a run here, byte for byte', () => {
    expect(expectSameFiles('imaging').filter((path) => path.endsWith('ct.nii.gz'))).toHaveLength(STUDIES);
    expect(expectSameFiles('clinical')).not.toHaveLength(0);
  });

  it('gives the expression of reads quantified here, as exactly as quantification repeats itself', () => {
    for (const [name, expectAlike] of [[TPM, expectTpmAlike] as const, [COUNTS, expectCountsAlike] as const]) {
      const [mine, other] = [own.get(name)!, text(name)].map((table) =>
        table
          .trim()
          .split('\n')
          .map((line) => line.split(',')),
      );
      expect(mine).toHaveLength(SAMPLES + 1);
      expect(other![0]).toEqual(mine![0]);
      expect(other!.map(([id]) => id)).toEqual(mine!.map(([id]) => id));
      expectAlike(
        mine!.slice(1).flatMap((cells, row) =>
          cells.slice(1).map((cell, at) => ({
            ...{ where: `${cells[0]} ${mine![0]![at + 1]}` },
            ...{ mine: cell, other: other![row + 1]![at + 1]! },
          })),
        ),
      );
    }
  });

  it('gives the matrices that a run here makes of the same transcripts, byte for byte', () => {
    // quant.json and quality.csv tell how samples were quantified, and the machine's tables in dragen/ do.
    const same = expectSameFiles('genomics', /(quant\.json|quality\.csv)$|\/dragen\//);
    expect(same).toEqual(expect.arrayContaining([TPM, COUNTS]));
    expect(same.filter((path) => path.endsWith('/quant.genes.sf'))).toHaveLength(SAMPLES);
    // Reads quantified anew are not the same to the last digit: the comparison is not one of a file with itself.
    expect(text(TPM)).not.toBe(own.get(TPM));
  });

  it('gives the data set of a run here, with genes exact where transcripts are', async () => {
    expect(text('dataset.csv')).toBe(readFileSync(join(here, 'dataset.csv'), 'utf8'));
    const [mine, other] = [here, copied].map((folder) => parquetRows(join(folder, 'dataset.parquet')));
    expect(await other).toEqual(await mine);
    expect((await mine!).rows.length).toBeGreaterThan(STUDIES);

    const genes = new Set(own.get(TPM)!.split('\n', 1)[0]!.split(',').slice(1));
    const reads = readCsvText(own.get('dataset.csv')!);
    const ofGenes: Pairs[number][] = [];
    let others = 0;
    const rows = readCsvText(text('dataset.csv'));
    expect(rows).toHaveLength(reads.length);
    for (const [at, row] of reads.entries()) {
      expect(Object.keys(rows[at]!)).toEqual(Object.keys(row));
      for (const [column, value] of Object.entries(row)) {
        const other = rows[at]![column]!;
        const where = `${row['case_id']} ${column}`;
        if (genes.has(column) && value !== '') {
          ofGenes.push({ where, mine: value, other });
        } else {
          expect(other, where).toBe(value);
          others += 1;
        }
      }
    }
    expect(ofGenes).toHaveLength(SAMPLES * genes.size);
    expectTpmAlike(ofGenes);
    expect(others).toBeGreaterThan(reads.length * 100);
  });

  it('gives the feature groups of a run here, row for row', async () => {
    const groups = readdirSync(join(here, 'features')).sort();
    expect(groups).toEqual(expect.arrayContaining(['clinical', 'genomics', 'imaging']));
    expect(readdirSync(join(copied, 'features')).sort()).toEqual(groups);
    for (const group of groups) {
      const schema = join('features', group, 'schema.json');
      expect(text(schema), group).toBe(readFileSync(join(here, schema), 'utf8'));
      const [mine, other] = [here, copied].map((folder) => groupRows(join(folder, 'features', group)));
      expect(await other, group).toEqual(await mine);
      expect((await mine!).rows, group).not.toHaveLength(0);
    }
  });

  it('has the same data set from the feature store, by Athena', async () => {
    const athena = await call('dataset', '--output', there, '--engine', 'athena');
    expect(athena.exitCode, athena.stderr).toBe(0);
    expect(athena.stdout).toBe(text('dataset.csv'));
  }, 300_000);

  it('did so with calls throttled, answers lost, jobs killed and machines taken back', () => {
    for (const kind of ['throttle', 'drop-after', 'kill', 'interrupt'] as const) {
      expect(aws.faults.count(kind), kind).toBeGreaterThan(0);
    }
    expect(lostByStore).toBeGreaterThan(0);
    const ofS3 = (fault: string): number => faultyS3.calls.filter((one) => one.fault === fault).length;
    expect(ofS3('slow-down')).toBeGreaterThan(faultyS3.calls.length / 5);
    expect(ofS3('lost')).toBeGreaterThan(0);
    expect(faultyS3.calls.some(({ operation, fault }) => operation === 'PutObject' && fault === 'lost')).toBe(true);
  });

  it('had each effect once: a job a study, a machine’s work a sample, and nothing is alive', async () => {
    const { alive, jobs } = aws.jobs.census();
    expect(alive).toBe(0);
    expect(jobs.filter(({ status }) => status === 'Completed')).toHaveLength(STUDIES);
    expect(jobs.every(({ executions }) => executions <= 1)).toBe(true);

    // Every try was given to one machine; the hash table and each sample came to a good end on one of them. A command whose
    // answer was lost may have been sent again: the second waits for the first, and ends as it did.
    const sent = aws.commands.sent();
    const machinesOf = new Map<string, Set<string>>();
    for (const { comment, machine } of sent) {
      machinesOf.set(comment, (machinesOf.get(comment) ?? new Set()).add(machine));
    }
    expect([...machinesOf.values()].map(({ size }) => size)).toEqual([...machinesOf].map(() => 1));
    const ended = sent.filter(({ status }) => status === 'Success').map(({ comment }) => comment);
    expect(new Set(ended).size).toBe(SAMPLES + 1);
    const outcomes = readCsvText(text('run/outcomes.csv')).filter(({ step }) => step === 'genomics.quantify');
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(outcomes.map(() => 'done'));
    expect(new Set(outcomes.map((row) => row['case_id'])).size).toBe(SAMPLES);
    expect(outcomes).toHaveLength(SAMPLES);
    // Three machines, and one in the place of each that was taken back.
    const { launched } = aws.machines.census();
    expect(launched).toBeLessThanOrEqual(3 + aws.faults.count('interrupt'));

    // Machines of a pool wait a quarter of an hour for more work; until then they belong to nobody.
    const swept = await call('sweep', '--older-than', '0', '--unknown', '--yes');
    expect(swept.exitCode, swept.stderr).toBe(0);
    expect(aws.machines.census().alive).toBe(0);
  }, 300_000);
});
