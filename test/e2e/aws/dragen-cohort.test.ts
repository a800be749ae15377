import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createFiles } from '../../../src/app/create-files.js';
import { LocalToolRunner } from '../../../src/adapters/local/tool-runner.js';
import type { Files } from '../../../src/ports/files.js';
import { startAwsStandIn, type AwsStandIn, type StandInOptions } from '../../support/aws/stand-in.js';
import { standInFastqDump } from '../../support/aws/quick-programs.js';
import { awsCliProgram } from '../../support/aws-cli.js';
import { cli as cohortflow } from '../../support/cli.js';
import { readCsvText } from '../../support/csv.js';
import { temporaryFolder } from '../../support/run-step.js';
import { hasS3Server, startS3Server, type S3Server } from '../../support/s3-server.js';
import { writeSmallTranscriptome, type SmallTranscriptome } from '../../support/small-transcriptome.js';
import { realTime, temporalCli } from '../../support/temporal-servers.js';

const cli = await temporalCli();
const aws = hasS3Server() ? awsCliProgram() : undefined;
const salmon = await new LocalToolRunner().find('salmon');
const able = cli !== undefined && aws !== undefined && salmon !== undefined;
const SAMPLES = 3;
const AMI = 'ami-00000000000000001';

describe.skipIf(!able)('a cohort whose reads DRAGEN machines quantify', () => {
  const root = temporaryFolder('dragen-cohort');
  const here = join(root, 'out');
  const running: AwsStandIn[] = [];
  let env: TestWorkflowEnvironment;
  let s3: S3Server;
  let files: Files;
  let place: string;
  let small: SmallTranscriptome;

  beforeAll(async () => {
    [env, s3] = await Promise.all([realTime(cli!), startS3Server()]);
    files = createFiles({});
    place = s3.place();
    small = writeSmallTranscriptome(root, SAMPLES);
    const reference = ['--transcripts', small.transcripts, '--annotation', small.annotation];
    const local = await call({}, 'run', '--cohort', small.sheet, '--output', here, ...reference);
    expect(local.exitCode, local.stdout + local.stderr).toBe(0);
    for (const name of ['reads', 'cohort.csv', 'genome.fa', 'annotation.gtf']) {
      await files.copy(join(root, name), `${place}/${name}`);
    }
  }, 300_000);

  afterEach(async () => {
    await Promise.all(running.splice(0).map((one) => one.close()));
  });

  afterAll(async () => {
    await env?.teardown();
    await s3?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  function call(dragen: Readonly<Record<string, unknown>>, ...args: string[]) {
    const settings = {
      region: 'eu-central-1',
      work: `${place}/work`,
      dragen: {
        ...{ ami: AMI, instanceProfile: 'dragen', subnets: ['subnet-a', 'subnet-b'], pollSeconds: 1 },
        securityGroups: ['sg-1'],
        ...{ reference: `${place}/genome.fa`, annotation: `${place}/annotation.gtf` },
        ...dragen,
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

  async function standIn(version = '4.3', options: StandInOptions = {}): Promise<AwsStandIn> {
    const programs = { 'fastq-dump': standInFastqDump };
    const amis = { [AMI]: { rootGb: 50, aws: aws!, dragen: version, programs } };
    const machines = { amis, types: ['f2.6xlarge', 'f1.4xlarge'], ...options.machines };
    const started = await startAwsStandIn({ scale: 10, ...options, machines });
    running.push(started);
    return started;
  }

  /** The same reads in the public archive, as whoever asks may read it; gives a sheet of its accessions. */
  async function archived(): Promise<string> {
    const client = new S3Client({ region: 'us-east-1', forcePathStyle: true });
    const Bucket = 'sra-pub-run-odp';
    await client.send(new CreateBucketCommand({ Bucket, ACL: 'public-read' }));
    const rows: string[] = [];
    for (const [at, row] of readCsvText(readFileSync(small.sheet, 'utf8')).entries()) {
      const mates = ['fastq_1', 'fastq_2'].map((column) => String(gunzipSync(readFileSync(join(root, row[column]!)))));
      const accession = `SRR00000${at + 1}`;
      const Body = gzipSync(JSON.stringify(mates));
      const Key = `sra/${accession}/${accession}`;
      await client.send(new PutObjectCommand({ Bucket, Key, Body, ACL: 'public-read' }));
      rows.push(`${row['case_id']},${accession}\n`);
    }
    client.destroy();
    const sheet = `${place}/archived.csv`;
    await files.write(sheet, `case_id,sra\n${rows.join('')}`);
    return sheet;
  }

  const run = (output: string, dragen: Readonly<Record<string, unknown>> = {}, ...more: string[]) =>
    call(
      dragen,
      ...['run', '--cohort', `${place}/cohort.csv`, '--output', output, '--genomics-executor', 'dragen', ...more],
    );

  const outcomes = async (output: string): Promise<string[]> =>
    readCsvText(await files.readText(`${output}/run/outcomes.csv`)).map((row) =>
      `${row['case_id']} ${row['step']} ${row['outcome']} ${row['code']}`.trim(),
    );

  /** The expression of every sample and gene as Salmon gave it here, as near as Salmon is to itself. */
  async function expectSame(output: string): Promise<void> {
    const read = (text: string) => readCsvText(text).map((row) => Object.entries(row));
    const there = read(await files.readText(`${output}/genomics/expression-tpm.csv`));
    const local = read(readFileSync(join(here, 'genomics/expression-tpm.csv'), 'utf8'));
    expect(there).toHaveLength(SAMPLES);
    local.forEach((row, at) => {
      for (const [index, [name, value]] of row.entries()) {
        const [otherName, other] = there[at]![index]!;
        expect(otherName).toBe(name);
        if (/^-?[\d.e+-]+$/.test(value)) expect(Number(other)).toBeCloseTo(Number(value), -2);
        else if (name !== 'event_time') expect(other).toBe(value);
      }
    });
  }

  it('gives what Salmon gives here, on one machine a sample after one for the hash table, and leaves none', async () => {
    const { machines } = await standIn();
    const output = `${place}/plain`;
    const first = await run(output);
    expect(first.exitCode, first.stdout + first.stderr).toBe(0);
    await expectSame(output);
    const { alive, launched, machines: all } = machines.census();
    expect({ alive, launched }).toEqual({ alive: 0, launched: SAMPLES + 1 });
    expect(all.map(({ commands }) => commands)).toEqual(all.map(() => 1));
    const quant = JSON.parse(await files.readText(`${output}/genomics/S-1/quant.json`)) as Record<string, unknown>;
    const local = JSON.parse(readFileSync(join(here, 'genomics/S-1/quant.json'), 'utf8')) as Record<string, unknown>;
    expect(quant).toMatchObject({ source: 'dragen', genes: 10, libraryType: local['libraryType'] });
    expect(quant['mappedPercent']).toBeCloseTo(Number(local['mappedPercent']), 1);
    // What a reviewer looks at, in the table and in the report.
    const quality = readCsvText(await files.readText(`${output}/genomics/quality.csv`));
    const locally = readCsvText(readFileSync(join(here, 'genomics/quality.csv'), 'utf8'));
    expect(quality.map((row) => [row['reads'], row['fragments']])).toEqual(
      locally.map((row) => [row['reads'], row['fragments']]),
    );
    for (const row of quality) {
      expect(row).toMatchObject({
        program: 'DRAGEN',
        version: '4.3',
        profile: '4.3',
        reference: 'genome.fa',
        warnings: '',
      });
      expect(row).toMatchObject({ instance_type: 'f2.6xlarge', spot: 'false', duplicate_percent: '0' });
      expect(row['properly_paired_percent']).toBe(row['mapped_percent']);
      expect(row['index']).toMatch(/^4\.3-[0-9a-f]{16}$/);
      expect(Number(row['machine_seconds'])).toBeGreaterThanOrEqual(0);
    }
    const report = await files.readText(`${output}/report.html`);
    for (const word of ['DRAGEN 4.3', 'f2.6xlarge', 'on demand', quality[0]!['index']!]) expect(report).toContain(word);
    expect(readFileSync(join(here, 'report.html'), 'utf8')).toMatch(/Salmon \d/);
    // The machine of each, and no program that did nothing.
    const lines = readCsvText(await files.readText(`${output}/run/outcomes.csv`));
    expect(lines.map(({ message = '' }) => message.replace(/\d+ s/, 'n s'))).toEqual(
      small.samples.map(() => 'machine: n s on f2.6xlarge'),
    );
    const versions = async (text: Promise<string>): Promise<string[]> => Object.keys(JSON.parse(await text) as object);
    expect(JSON.parse(await files.readText(`${output}/run/versions.json`))).toMatchObject({ dragen: '4.3' });
    expect(await versions(files.readText(`${output}/run/versions.json`))).toEqual(['cohortflow', 'node', 'dragen']);
    expect(await versions(readFile(join(here, 'run/versions.json'), 'utf8'))).toEqual(['cohortflow', 'node', 'salmon']);
    // The hash table's machine too, and nothing here.
    const costs = JSON.parse(await files.readText(`${output}/run/costs.json`)) as Record<string, unknown>;
    const kind = { executor: 'dragen', instanceType: 'f2.6xlarge', region: 'eu-central-1' };
    expect(costs).toMatchObject({ machines: [{ ...kind, machines: SAMPLES + 1 }] });
    expect(first.stdout + first.stderr).toContain(`dragen: ${SAMPLES + 1} × f2.6xlarge`);
    expect(report).toContain('What it cost');
    expect(report).toContain('no price for f2.6xlarge in table of');
    expect(existsSync(join(here, 'run/costs.json'))).toBe(false);
    expect(readFileSync(join(here, 'report.html'), 'utf8')).not.toContain('What it cost');

    const again = await run(output);
    expect(again.exitCode, again.stdout + again.stderr).toBe(0);
    expect(machines.census().launched).toBe(SAMPLES + 1);
    expect(await files.stat(`${output}/run/costs.json`)).toBeUndefined();
    expect(await outcomes(output)).toEqual(small.samples.map((name) => `${name} genomics.quantify reused`));
  }, 600_000);

  it('gives the same on a pool of machines that take one sample after another', async () => {
    const { machines } = await standIn();
    const output = `${place}/pool`;
    const hashTable = `${place}/tables-of-pool`;
    const done = await run(output, { instances: 2, hashTable });
    expect(done.exitCode, done.stdout + done.stderr).toBe(0);
    await expectSame(output);
    const { launched, machines: all } = machines.census();
    expect(launched).toBe(2);
    expect(all.map(({ commands }) => commands).reduce((sum, some) => sum + some)).toBe(SAMPLES + 1);
    // Given back, all of them.
    expect(await files.names(`${hashTable}/machines`)).toEqual([]);

    const swept = await call({ instances: 2, hashTable }, 'sweep', '--older-than', '0', '--unknown', '--yes');
    expect(swept.exitCode, swept.stdout + swept.stderr).toBe(0);
    expect(machines.census().alive).toBe(0);
  }, 600_000);

  it('runs the article’s commands on the machines of its time, on runs of the public archive', async () => {
    const { machines } = await standIn('3.7');
    const output = `${place}/seed`;
    const profile = ['--genomics-executor', 'dragen', '--dragen-profile', 'seed'];
    const done = await call({}, 'run', '--cohort', await archived(), '--output', output, ...profile);
    expect(done.exitCode, done.stdout + done.stderr).toBe(0);
    await expectSame(output);
    const { alive, launched, machines: all } = machines.census();
    expect({ alive, launched }).toEqual({ alive: 0, launched: SAMPLES + 1 });
    expect(new Set(all.map(({ type }) => type))).toEqual(new Set(['f1.4xlarge']));
  }, 600_000);

  it('quantifies anew what was replaced while a machine had it', async () => {
    const { machines } = await standIn();
    const [first, second] = readCsvText(readFileSync(small.sheet, 'utf8'));
    const sheet = `${place}/replaced.csv`;
    const own = ['fastq_1', 'fastq_2'].map((column) => `${place}/replaced/${first![column]!}`);
    const replace = async (by: typeof first): Promise<void> => {
      await files.copy(join(root, by!['fastq_1']!), own[0]!);
      await files.copy(join(root, by!['fastq_2']!), own[1]!);
    };
    await replace(first);
    await files.write(sheet, `case_id,fastq_1,fastq_2\n${first!['case_id']!},${own.join(',')}\n`);
    const output = `${place}/replaced-out`;
    const hashTable = `${place}/tables-replaced`;
    const ended = call({ hashTable }, 'run', '--cohort', sheet, '--output', output, '--genomics-executor', 'dragen');
    const noted = async (): Promise<boolean> =>
      (await files.list(`${output}/run/.work`, { recursive: true }).catch(() => [])).some(({ path }) =>
        path.endsWith('inputs.json'),
      );
    while (!(await noted())) await sleep(50);
    await replace(second);
    const done = await ended;
    expect(done.exitCode, done.stdout + done.stderr).toBe(0);
    const tpm = async (text: Promise<string>, caseId: string): Promise<readonly string[]> =>
      Object.values(readCsvText(await text).find((row) => row['case_id'] === caseId)!);
    const there = await tpm(files.readText(`${output}/genomics/expression-tpm.csv`), first!['case_id']!);
    const local = await tpm(readFile(join(here, 'genomics/expression-tpm.csv'), 'utf8'), second!['case_id']!);
    const before = await tpm(readFile(join(here, 'genomics/expression-tpm.csv'), 'utf8'), first!['case_id']!);
    expect(local.some((value, at) => Math.abs(Number(value) - Number(before[at])) > 100)).toBe(true);
    local.forEach((value, at) => {
      if (/^-?[\d.e+-]+$/.test(value)) expect(Number(there[at])).toBeCloseTo(Number(value), -2);
    });
    // One for the hash table, and two for the sample.
    const { alive, launched } = machines.census();
    expect({ alive, launched }).toEqual({ alive: 0, launched: 3 });
  }, 600_000);

  it('says why DRAGEN failed, and keeps the whole log where the message names it, also when the run is over', async () => {
    const { machines } = await standIn('4.3');
    const output = `${place}/refused`;
    const done = await run(output, { instances: 1, hashTable: `${place}/tables-refused` }, '--dragen-profile', 'seed');
    expect(done.exitCode, done.stdout + done.stderr).toBe(3);
    const rows = readCsvText(await files.readText(`${output}/run/outcomes.csv`));
    expect(rows.map(({ code }) => code)).toEqual(small.samples.map(() => 'DragenFailed'));
    for (const { message = '' } of rows) {
      const [, words, log = ''] = /\(exit 1\): (.*); its log: (s3:.*)$/.exec(message) ?? [];
      expect(words, message).toBe("ERROR: unrecognised option '--alt-aware'");
      expect(await files.readText(log)).toContain("== dragen.log\nERROR: unrecognised option '--alt-aware'");
    }
    expect(await files.names(`${output}/run`)).not.toContain('.work');
    await call({ instances: 1 }, 'sweep', '--older-than', '0', '--unknown', '--yes');
    expect(machines.census().alive).toBe(0);
  }, 600_000);

  it('comes to the same through throttling, lost answers, machines wanting and interrupted ones, each try on one machine', async () => {
    const { machines, faults } = await standIn('4.3', {
      faults: { throttle: 0.3, dropAfter: 0.05, noCapacity: 0.3 },
      seed: 11,
    });
    faults.next('RunInstances', 'drop-after');
    faults.strike('interrupt', 1);
    faults.noCapacity('subnet-a');
    // Nowhere is one at first: what asks then has to come again.
    faults.noCapacity('subnet-b');
    const output = `${place}/faulty`;
    const ended = run(output);
    while (faults.count('capacity') < 2) await sleep(50);
    faults.noCapacity('subnet-b', false);
    const done = await ended;
    expect(done.exitCode, done.stdout + done.stderr).toBe(0);
    await expectSame(output);
    expect(await outcomes(output)).toEqual(small.samples.map((name) => `${name} genomics.quantify done`));
    expect(faults.count('interrupt')).toBe(1);
    const { alive, launched, machines: all } = machines.census();
    expect(alive).toBe(0);
    // One machine a try: the hash table, the samples, and once more what was interrupted, unless it had just ended.
    const works = all.map(({ tags }) => tags['cohortflow:work']);
    expect(new Set(works).size).toBe(launched);
    expect(launched).toBeGreaterThan(SAMPLES);
    expect(launched).toBeLessThanOrEqual(SAMPLES + 2);
    expect(all.every(({ subnet }) => subnet === 'subnet-b')).toBe(true);
  }, 600_000);
});
