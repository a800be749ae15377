import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createFiles } from '../../../src/app/create-files.js';
import { PACKAGE_ROOT } from '../../../src/app/package-root.js';
import type { Files } from '../../../src/ports/files.js';
import { startAwsStandIn, type AwsStandIn, type StandInOptions } from '../../support/aws/stand-in.js';
import { cli as cohortflow } from '../../support/cli.js';
import { readCsvText } from '../../support/csv.js';
import { temporaryFolder } from '../../support/run-step.js';
import { axialGeometry } from '../../../src/domain/dicom/write/index.js';
import { named, smallStudy } from '../../support/dicom/studies.js';
import { zipOf } from '../../support/zip.js';
import { hasS3Server, startS3Server, type S3Server } from '../../support/s3-server.js';
import { SEGMENTATION, writeSmallCohort } from '../../support/small-cohort.js';
import { realTime, temporalCli } from '../../support/temporal-servers.js';

const cli = await temporalCli();
const able = cli !== undefined && hasS3Server();
const CASES = 5;
const IMAGE = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/cohortflow@sha256:${'0'.repeat(64)}`;
const RESULTS = ['ct.nii.gz', 'seg.nii.gz', 'features.json', 'geometry.json', 'overlay-ortho.png', 'overlay-z.png'];

/** Our container's program, as the image would run it. */
const PROGRAM = { command: process.execPath, args: [join(PACKAGE_ROOT, 'dist/processing/main.js')] };

describe.skipIf(!able)('a cohort whose studies SageMaker computes', () => {
  const root = temporaryFolder('sagemaker-cohort');
  let env: TestWorkflowEnvironment;
  let s3: S3Server;
  let files: Files;
  let place: string;
  let cases: readonly string[];
  const running: AwsStandIn[] = [];
  const here = join(root, 'out');

  beforeAll(async () => {
    [env, s3] = await Promise.all([realTime(cli!), startS3Server()]);
    files = createFiles({});
    place = s3.place();
    const small = writeSmallCohort(root, CASES, [3]);
    ({ cases } = small);
    const local = await call('run', '--cohort', small.sheet, '--output', here, '--fail-on', 'none');
    expect(local.exitCode, local.stderr).toBe(0);
    await files.copy(join(root, 'dicom'), `${place}/dicom`);
    await files.copy(small.sheet, `${place}/cohort.csv`);
  }, 300_000);

  afterEach(async () => {
    await Promise.all(running.splice(0).map((one) => one.close()));
  });

  afterAll(async () => {
    await env?.teardown();
    await s3?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  function call(...args: string[]) {
    const settings = {
      region: 'eu-central-1',
      work: `${place}/work`,
      sagemaker: {
        image: IMAGE,
        roleArn: 'arn:aws:iam::123456789012:role/processing',
        pollSeconds: 1,
        pollsPerSecond: 20,
      },
    };
    return cohortflow(args, {
      TEMPORAL_ADDRESS: env.address,
      COHORTFLOW_STATE: join(root, 'state'),
      COHORTFLOW_CACHE: join(root, 'cache'),
      COHORTFLOW_AWS: JSON.stringify(settings),
      ...running[0]?.environment,
    });
  }

  async function standIn(options: StandInOptions = {}): Promise<AwsStandIn> {
    const started = await startAwsStandIn({ images: { [IMAGE]: PROGRAM }, ...options });
    running.push(started);
    return started;
  }

  /** Every result of every whole case is the same as when it was computed here. */
  async function expectSame(output: string): Promise<void> {
    for (const id of cases.filter((_, index) => index !== 3)) {
      for (const name of [...RESULTS, 'conversion.json']) {
        const bytes = Buffer.from(await files.read(`${output}/imaging/${id}/${name}`));
        expect(bytes.equals(readFileSync(join(here, 'imaging', id, name))), `${id}/${name}`).toBe(true);
      }
    }
    expect(await files.readText(`${output}/dataset.csv`)).toBe(readFileSync(join(here, 'dataset.csv'), 'utf8'));
  }

  const outcomes = async (output: string): Promise<string[]> =>
    readCsvText(await files.readText(`${output}/run/outcomes.csv`)).map((row) =>
      `${row['case_id']} ${row['step']} ${row['outcome']} ${row['code']}`.trim(),
    );

  /** What is told of the jobs. */
  const told = async (output: string): Promise<string[]> =>
    readCsvText(await files.readText(`${output}/run/outcomes.csv`))
      .filter((row) => row['step'] === 'imaging.convert' && row['outcome'] === 'done')
      .map((row) => row['message'] ?? '');

  const paid = async (output: string): Promise<unknown> =>
    (JSON.parse(await files.readText(`${output}/run/costs.json`)) as { machines: unknown }).machines;

  /** How every step of every case ends. */
  const undisturbed = (): string[] =>
    cases.flatMap((id, index) =>
      index === 3
        ? [`${id} imaging.convert failed SegNotFound`]
        : ['convert', 'radiomics', 'overlay'].map((step) => `${id} imaging.${step} done`),
    );

  it('gives what it gives here, byte for byte, with one job a study, and reuses it wherever it runs next', async () => {
    const { jobs } = await standIn();
    const output = `${place}/plain`;
    const args = ['run', '--cohort', `${place}/cohort.csv`, '--output', output, '--imaging-executor', 'sagemaker'];
    const run = await call(...args);
    expect(run.exitCode, run.stdout + run.stderr).toBe(3);
    await expectSame(output);
    const { alive, jobs: all } = jobs.census();
    expect(alive).toBe(0);
    expect(all.filter(({ status }) => status === 'Completed')).toHaveLength(CASES - 1);
    expect(all.map(({ executions }) => executions)).toEqual(all.map(() => 1));
    expect(await outcomes(output)).toEqual(undisturbed());
    // What was paid for each: the seconds of its machine, and which that was.
    for (const message of await told(output)) expect(message).toMatch(/job: \d+ s on ml\.r5\.large$/);
    // And for all of them, the one that failed among them.
    expect(await paid(output)).toMatchObject([{ executor: 'sagemaker', instanceType: 'ml.r5.large', machines: CASES }]);
    expect(run.stdout + run.stderr).toContain(`sagemaker: ${CASES} × ml.r5.large`);
    expect(await files.readText(`${output}/report.html`)).toContain('What it cost');
    expect(await files.names(`${output}/run/.work`)).toEqual([]);

    // The same run again, here this time: nothing but the case that failed is looked at.
    await files.copy(join(root, 'dicom', cases[0]!, SEGMENTATION), `${place}/dicom/${cases[3]}/${SEGMENTATION}`);
    await files.remove(`${place}/dicom/${cases[3]}/${SEGMENTATION}`);
    const again = await call('run', '--cohort', `${place}/cohort.csv`, '--output', output, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ imaging: { reused: CASES - 1, failed: 1 } });
    expect(await files.stat(`${output}/run/costs.json`)).toBeUndefined();
  }, 300_000);

  it('gives the same when calls are throttled, answers lost, jobs killed and machines wanting, each job once', async () => {
    const faults = { throttle: 0.3, dropAfter: 0.05, killJob: 0.1, limitExceeded: 0.15, noCapacity: 0.3 };
    const { jobs, faults: injected } = await standIn({ faults, seed: 7 });
    // Whatever the dice say, each happens at least once.
    injected.next('CreateProcessingJob', 'drop-after', 'throttle');
    injected.next('DescribeProcessingJob', 'throttle', 'drop-after');
    injected.killNext(1);
    const output = join(root, 'faulty');
    const run = await call(
      ...['run', '--cohort', `${place}/cohort.csv`, '--output', output, '--imaging-executor', 'sagemaker'],
      ...['--fail-on', 'none'],
    );
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
    await expectSame(output);
    expect(await outcomes(output)).toEqual(undisturbed());
    const { alive, jobs: all } = jobs.census();
    expect(alive).toBe(0);
    expect(all.every(({ executions }) => executions <= 1)).toBe(true);
    // A study whose job was killed or whose answer was lost has no second one that ends well.
    expect(all.filter(({ status }) => status === 'Completed')).toHaveLength(CASES - 1);
    for (const kind of ['throttle', 'drop-after', 'kill', 'capacity'] as const)
      expect(injected.count(kind), kind).toBeGreaterThan(0);
    expect(await files.names(`${place}/work`)).toEqual([]);
  }, 400_000);

  it('takes a zip, an image with its mask, and a study beside one whose name begins alike, as they are taken here', async () => {
    const mixed = join(root, 'mixed');
    const add = (folder: string, id: string, across: number) => {
      const study = smallStudy(id, { geometry: axialGeometry([across, 20, 10], [3, 3, 5]) });
      const list = [...study.ct.files, named(study.segmentation(), SEGMENTATION)];
      mkdirSync(folder, { recursive: true });
      for (const { name, bytes } of list) writeFileSync(join(folder, name), bytes);
      return list;
    };
    add(join(mixed, 'dicom/R01-1'), 'R01-1', 24);
    add(join(mixed, 'dicom/R01-10'), 'R01-10', 28);
    const zipped = add(join(mixed, 'unzipped'), 'Z', 26).map(({ name, bytes }) => ({ name, content: bytes }));
    rmSync(join(mixed, 'unzipped'), { recursive: true });
    writeFileSync(join(mixed, 'Z.zip'), zipOf(zipped));
    for (const name of ['ct.nii.gz', 'seg.nii.gz']) cpSync(join(here, 'imaging', cases[0]!, name), join(mixed, name));
    const rows = ['R01-1,dicom/R01-1,,', 'R01-10,dicom/R01-10,,', 'Z,Z.zip,,', 'N,,ct.nii.gz,seg.nii.gz'];
    writeFileSync(join(mixed, 'cohort.csv'), ['case_id,imaging,image,mask', ...rows, ''].join('\n'));
    await files.copy(mixed, `${place}/mixed`);

    const local = await call('run', '--cohort', join(mixed, 'cohort.csv'), '--output', join(root, 'mixed-here'));
    expect(local.exitCode, local.stderr).toBe(0);
    const { jobs } = await standIn();
    const output = `${place}/mixed-out`;
    const run = await call(
      ...['run', '--cohort', `${place}/mixed/cohort.csv`, '--output', output, '--imaging-executor', 'sagemaker'],
    );
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
    expect(jobs.census().jobs.map(({ status }) => status)).toEqual(Array(4).fill('Completed'));
    for (const id of ['R01-1', 'R01-10', 'Z', 'N']) {
      for (const name of RESULTS) {
        const bytes = Buffer.from(await files.read(`${output}/imaging/${id}/${name}`));
        expect(bytes.equals(readFileSync(join(root, 'mixed-here/imaging', id, name))), `${id}/${name}`).toBe(true);
      }
    }
    expect(await files.readText(`${output}/dataset.csv`)).toBe(
      readFileSync(join(root, 'mixed-here/dataset.csv'), 'utf8'),
    );
  }, 300_000);

  it('says and lowers a width above the quota, also of a run that others work on', async () => {
    const { jobs } = await standIn({ quota: 2 });
    const output = `${place}/narrow`;
    const args = ['run', '--cohort', `${place}/cohort.csv`, '--output', output, '--imaging-executor', 'sagemaker'];
    const run = await call(...args, '--concurrency', '5', '--fail-on', 'none');
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
    expect(run.stderr).toContain('"ml.r5.large for processing job usage" is 2: a run has so many at once instead of 5');
    expect(run.stderr).toContain('note      imaging: width 2 of 5: the quota "ml.r5.large for processing job usage"');
    expect(JSON.parse(await files.readText(`${output}/run/run.json`))).toMatchObject({
      result: { notes: [expect.stringContaining('width 2 of 5') as string] },
    });
    expect(jobs.census().peak).toBe(2);

    // Nobody serves the queue: the account is looked at all the same, and nothing is started where it has no room.
    running.splice(0).forEach((one) => void one.close());
    await standIn({ quota: 0 });
    const refused = await call(...args, '--no-worker', '--force');
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('"ml.r5.large for processing job usage" is 0');
  }, 300_000);

  it('says before anything starts what the settings lack', async () => {
    await standIn();
    const run = await cohortflow(
      ['run', '--cohort', `${place}/cohort.csv`, '--output', join(root, 'lacking'), '--imaging-executor', 'sagemaker'],
      {
        TEMPORAL_ADDRESS: env.address,
        COHORTFLOW_STATE: join(root, 'state'),
        COHORTFLOW_CACHE: join(root, 'cache'),
        ...running[0]?.environment,
      },
    );
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain('aws.sagemaker.image');
  });
});
