import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DragenExecutor } from '../../src/adapters/aws/dragen/executor.js';
import type { Patience } from '../../src/adapters/aws/dragen/patience.js';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { LocalToolRunner } from '../../src/adapters/local/tool-runner.js';
import { createFiles } from '../../src/app/create-files.js';
import type { AwsSettings } from '../../src/config/aws-settings.js';
import type { GenomicsSampleInput } from '../../src/contracts/inputs.js';
import type { RemoteEnd } from '../../src/contracts/remote-work.js';
import type { PaidMachine } from '../../src/domain/costs/index.js';
import { CohortflowError } from '../../src/domain/errors.js';
import type { Files } from '../../src/ports/files.js';
import { WorkFailed, type RemoteWork } from '../../src/ports/remote-executor.js';
import { seeded } from '../support/aws/faults.js';
import { quickAws, quickPrograms } from '../support/aws/quick-programs.js';
import { newWork, nothingAlive, submitted } from '../support/aws/executor-work.js';
import {
  ACCOUNT_NAME,
  hasSettings,
  inStandInOnly,
  maySpend,
  REAL_ACCOUNT,
  TEST_RUN,
} from '../support/aws/real-account.js';
import { startAwsStandIn, type AwsStandIn, type StandInOptions } from '../support/aws/stand-in.js';
import { hasAccount, openAccount, patience, until, type TestAccount } from '../support/aws/test-account.js';
import { awsCliProgram } from '../support/aws-cli.js';
import { temporaryFolder } from '../support/run-step.js';
import { hasS3Server, startS3Server, type S3Server } from '../support/s3-server.js';
import { writeSmallTranscriptome } from '../support/small-transcriptome.js';

const AMI = 'ami-00000000000000001';
const { signal } = new AbortController();
type Source = GenomicsSampleInput['unit']['source'];

const settled = REAL_ACCOUNT?.dragen;
const able =
  hasAccount() &&
  hasSettings('DRAGEN', settled?.ami ?? settled?.amiParameter, settled?.instanceProfile) &&
  maySpend('DRAGEN machines of EC2') &&
  (REAL_ACCOUNT !== undefined || (await standInQuantifies()));

/** The machines of the stand-in quantify with Salmon. */
async function standInQuantifies(): Promise<boolean> {
  const salmon = await new LocalToolRunner().find('salmon');
  if (salmon === undefined) console.warn('skipped: Salmon is not here, with which the stand-in for DRAGEN quantifies');
  return salmon !== undefined && awsCliProgram() !== undefined;
}

/** The executor with machines that really quantify a small sample: what can be seen of it in any account. */
describe.skipIf(!able)(`the executor for DRAGEN machines, whole (${ACCOUNT_NAME})`, () => {
  const root = temporaryFolder('dragen-executor-whole');
  let account: TestAccount;
  let settings: AwsSettings;

  beforeAll(async () => {
    account = await openAccount();
    const poll = { pollSeconds: REAL_ACCOUNT === undefined ? 1 : 10 };
    const hashTable = `${account.place}/tables`;
    settings = { ...account.settings, dragen: { ...account.settings.dragen, ...poll, hashTable } };
    writeSmallTranscriptome(root, 1);
    for (const name of ['reads', 'genome.fa', 'annotation.gtf']) {
      await account.files.copy(join(root, name), `${account.place}/${name}`);
    }
  }, 120_000);

  afterAll(async () => {
    if (account === undefined) return;
    // Whatever a test that failed has left.
    for (const found of await executor().alive(signal)) await executor().end(found, signal);
    await account.close();
    rmSync(root, { recursive: true, force: true });
  }, patience(20));

  const executor = (): DragenExecutor => new DragenExecutor(settings, account.files, TEST_RUN);

  function given(caseId: string, lane: { readonly fastq1: string; readonly fastq2: string }): RemoteWork {
    const source: Source = { kind: 'fastq', lanes: [lane], strandedness: 'auto' };
    const unit = { modality: 'genomics', caseId, source } as const;
    const { profile = '4.3' } = settings.dragen ?? {};
    const dragen = {
      profile,
      reference: `${account.place}/genome.fa`,
      annotation: `${account.place}/annotation.gtf`,
    };
    const common = { executor: 'dragen', runId: 'run', attempt: 1 } as const;
    return newWork(account.place, (output) => ({ ...common, output, input: { unit, dragen, output } }));
  }

  const reads = async (): Promise<{ readonly fastq1: string; readonly fastq2: string }> => {
    const [one = '', two = ''] = await account.files.names(`${account.place}/reads`);
    return { fastq1: `${account.place}/reads/${one}`, fastq2: `${account.place}/reads/${two}` };
  };

  it(
    'quantifies a sample on one machine, though a worker is lost meanwhile, brings its tables to S3 and leaves none',
    async () => {
      const work = given('S-1', await reads());
      const ticket = await submitted(executor(), work);
      const other = executor();
      expect(await submitted(other, work)).toMatchObject({ name: work.name, place: work.place });
      const found = await until(
        () => other.alive(signal),
        (all) => all.length > 0,
      );
      expect(found).toMatchObject([{ executor: 'dragen', name: work.name, workflowId: `workflow-${work.name}` }]);
      const { results, facts } = await other.await(ticket!, signal, () => undefined);
      expect(results).toMatchObject({ quant: [`${work.place}/results/S-1.quant.sf`] });
      expect(await account.files.readText(results['quant']![0]!)).toMatch(
        /^Name\tLength\tEffectiveLength\tTPM\tNumReads\n/,
      );
      expect(settings.dragen?.instanceTypes ?? ['f2.6xlarge']).toContain(facts?.['instanceType']);
      await other.stop(work.name, signal);
      await nothingAlive(executor());
      const census = account.alone?.standIn.machines.census();
      if (census !== undefined) expect(census).toMatchObject({ alive: 0, launched: 1 });
    },
    patience(90),
  );

  it(
    'ends the machine of work that is stopped, and one that was listed',
    async () => {
      const [stopped, listed] = [given('S-1', await reads()), given('S-1', await reads())];
      await submitted(executor(), stopped);
      await executor().stop(stopped.name, signal);
      await nothingAlive(executor());
      await submitted(executor(), listed);
      const [found] = await until(
        () => executor().alive(signal),
        (all) => all.length > 0,
      );
      await executor().end(found!, signal);
      await nothingAlive(executor());
    },
    patience(30),
  );

  it('refuses reads that are not there before it starts anything', async () => {
    const nowhere = { fastq1: `${account.place}/none_1.fastq.gz`, fastq2: `${account.place}/none_2.fastq.gz` };
    await expect(executor().submit(given('S-1', nowhere), signal)).rejects.toMatchObject({ code: 'FileNotFound' });
    expect(await executor().alive(signal)).toEqual([]);
  }, 60_000);
});

inStandInOnly('the executor for DRAGEN machines', () =>
  describe.skipIf(!hasS3Server())('in every moment', everyMoment),
);

function everyMoment(): void {
  const root = temporaryFolder('dragen-executor');
  const running: AwsStandIn[] = [];
  let s3: S3Server;
  let files: Files;
  let place: string;
  let account: AwsStandIn;
  let log: string;
  let count = 0;

  beforeAll(async () => {
    s3 = await startS3Server();
    files = createFiles({});
    place = s3.place();
    for (const [name, text] of Object.entries({
      'genome.fa': '>chr1\nACGT\n',
      'genes.gtf': 'chr1\n',
      'A_1.fastq': '@a\n',
      'A_2.fastq': '@a\n',
      'B_1.fastq': '@b\n',
      'B_2.fastq': '@b\n',
      'run.sra': 'archive',
      'licence.cfg': 'licence of an object\n',
    })) {
      await files.write(`${place}/${name}`, text);
    }
  }, 120_000);

  afterEach(async () => {
    await Promise.all(running.splice(0).map((one) => one.close()));
  });

  afterAll(async () => {
    await s3?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  /** An account whose machines have programs that compute nothing. */
  async function start(before?: string, options: StandInOptions = {}, beforeTable?: string): Promise<void> {
    log = join(root, `calls-${(count += 1)}`);
    const image = { rootGb: 50, programs: quickPrograms(log, before, beforeTable) };
    const machines = { amis: { [AMI]: image }, bootSeconds: 1, agentSeconds: 1, ...options.machines };
    account = await startAwsStandIn({ scale: 10, ...options, machines });
    running.push(account);
    Object.assign(process.env, account.environment);
  }

  function executor(
    dragen: AwsSettings['dragen'] = {},
    namespace = 'default',
    patience: Partial<Patience> = {},
    s3: AwsSettings['s3'] = {},
  ): DragenExecutor {
    const settings: AwsSettings = {
      ...{ region: 'eu-central-1', work: `${place}/work-${count}`, s3 },
      dragen: {
        ...{ ami: AMI, instanceProfile: 'dragen', subnets: ['subnet-a', 'subnet-b'], securityGroups: ['sg-1'] },
        ...{ pollSeconds: 1, ...dragen },
      },
    };
    return new DragenExecutor(settings, files, namespace, patience);
  }

  const pairs = (...lanes: readonly string[]): Source => ({
    kind: 'fastq',
    lanes: lanes.map((lane) => ({ fastq1: `${place}/${lane}_1.fastq`, fastq2: `${place}/${lane}_2.fastq` })),
    strandedness: 'auto',
  });

  /** Work on a sample, or on the hash table alone. */
  function work(name: string, source?: Source, namespace = 'default'): RemoteWork {
    const dragen = { profile: '4.3', reference: `${place}/genome.fa`, annotation: `${place}/genes.gtf` };
    const common = { executor: 'dragen', output: place, runId: 'run', attempt: 1 } as const;
    const unit = { modality: 'genomics', caseId: name, source: source! } as const;
    const request =
      source === undefined ? { ...common, table: dragen } : { ...common, input: { unit, dragen, output: place } };
    return {
      request: request,
      name: `cohortflow-${name}`,
      place: `${place}/work-${count}/cohortflow-${name}`,
      logs: `${place}/logs-${count}/cohortflow-${name}`,
      tags: {
        'cohortflow:work': `cohortflow-${name}`,
        'cohortflow:workflow': `workflow-${name}`,
        'cohortflow:namespace': namespace,
      },
    };
  }

  /** As an activity does: faults that pass are tried again. */
  async function insistently<T>(ask: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await ask();
      } catch (error) {
        const passes = error instanceof CohortflowError && !(error instanceof WorkFailed) && error.retryable;
        if (!passes || tries === 3 || error.code === 'AwsNoCapacity' || error.code === 'AwsQuotaExceeded') throw error;
      }
    }
  }

  /** What was paid for the last piece of work that was done whole. */
  let paid: readonly PaidMachine[] = [];

  /** Gives work away, waits for it and ends what is left, as a workflow does. */
  async function whole(one: DragenExecutor, given: RemoteWork): Promise<RemoteEnd | 'nothing to do'> {
    const before = census().launched;
    try {
      const ticket = await insistently(() => one.submit(given, signal));
      return ticket === undefined ? 'nothing to do' : await one.await(ticket, signal, () => undefined);
    } finally {
      // Where nothing was started a stop looks for it for a while: lost answers have tests of their own.
      if (census().launched > before || census().alive > 0) {
        paid = await insistently(() => one.stop(given.name, signal));
      }
    }
  }

  const calls = (): string[] => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);
  const quantified = (): string[] => calls().filter((line) => line.startsWith('quantify'));
  const census = () => account.machines.census();
  const when = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await holds())) await sleep(20);
  };

  describe('when all is well', () => {
    it('brings the tables of a sample to S3, on one machine that is gone afterwards', async () => {
      await start();
      const given = work('well', pairs('A'));
      const end = await whole(executor(), given);
      expect(end).toMatchObject({
        results: {
          quant: [`${given.place}/results/well.quant.sf`],
          metrics: ['well.mapping_metrics.csv', 'machine.json'].map((name) => `${given.place}/results/${name}`),
        },
        facts: { instanceType: 'f2.6xlarge' },
      });
      expect(await files.readText(`${given.place}/results/well.quant.sf`)).toContain('ENST1');
      expect(JSON.parse(await files.readText(`${given.place}/results/machine.json`))).toEqual({
        ...{ profile: '4.3', version: '4.3.13', reference: 'genome.fa', instanceType: 'f2.6xlarge', spot: false },
        hashTable: expect.stringMatching(/^4\.3-[0-9a-f]{16}$/) as unknown,
        seconds: expect.any(Number) as unknown,
      });
      const bill = { executor: 'dragen', instanceType: 'f2.6xlarge', spot: false, region: 'eu-central-1' };
      expect(paid).toEqual([{ ...bill, seconds: expect.any(Number) as unknown }]);
      // The whole life of the machine, not its work alone.
      expect(paid[0]!.seconds).toBeGreaterThan((end as RemoteEnd).facts!['seconds'] as number);
      expect(census()).toMatchObject({ alive: 0, launched: 1 });
      expect(calls().filter((line) => line === 'table')).toHaveLength(1);
      expect(census().machines[0]?.tags).toMatchObject(given.tags);
    });

    it('makes a hash table once, whoever asks, and anew where one was left half written', async () => {
      await start();
      const one = executor();
      expect(await whole(one, work('table-1'))).not.toBe('nothing to do');
      expect(await whole(one, work('table-2'))).toBe('nothing to do');
      await whole(one, work('sample', pairs('A')));
      expect(calls().filter((line) => line === 'table')).toHaveLength(1);
      expect(census()).toMatchObject({ alive: 0, launched: 2 });

      const tables = `${place}/work-${count}/dragen-hash-tables`;
      const [folder] = (await files.names(tables)).filter((name) => name.startsWith('4.3-'));
      await files.remove(`${tables}/${folder}/READY`);
      await whole(one, work('table-3'));
      expect(calls().filter((line) => line === 'table')).toHaveLength(2);
      expect(await files.stat(`${tables}/${folder}/READY`)).toBeDefined();
    });

    it('makes a hash table once for all who ask at once: the others wait', async () => {
      await start(undefined, {}, 'sleep 2');
      const [one, other] = [executor(), executor()];
      const builds = one.submit(work('builds'), signal);
      const ticket = (await builds)!;
      const waits = (await other.submit(work('waits'), signal))!;
      expect(waits.facts).toMatchObject({ builder: 'cohortflow-builds' });
      const said: string[] = [];
      const both = await Promise.all([
        one.await(ticket, signal, () => undefined),
        other.await(waits, signal, (words) => said.push(words)),
      ]);
      expect(both).toHaveLength(2);
      expect(said).toContain('waiting for the hash table that cohortflow-builds builds');
      await one.stop('cohortflow-builds', signal);
      expect(calls().filter((line) => line === 'table')).toHaveLength(1);
      expect(census()).toMatchObject({ alive: 0, launched: 1 });
      expect(await other.submit(work('late'), signal)).toBeUndefined();
    });

    it('takes the place of one who claimed a hash table and is gone', async () => {
      await start();
      const one = executor({}, 'default', { withoutMachine: 1_000 });
      const ticket = (await one.submit(work('dies'), signal))!;
      await one.stop('cohortflow-dies', signal);
      const waits = (await one.submit(work('waits'), signal))!;
      await expect(one.await(waits, signal, () => undefined)).rejects.toMatchObject({
        code: 'InstanceLost',
        retryable: true,
      });
      await whole(one, work('instead'));
      expect(await one.submit(work('late'), signal)).toBeUndefined();
      // Should the dead one have been alive: its build is no more than another build.
      await expect(one.await(ticket, signal, () => undefined)).rejects.toMatchObject({ code: 'InstanceLost' });
      expect(census()).toMatchObject({ alive: 0, launched: 2 });
    });

    it('gives a hash table that fails to the next who asks', async () => {
      await start(undefined, {}, 'exit 9');
      const one = executor();
      await expect(whole(one, work('fails'))).rejects.toMatchObject({ code: 'DragenFailed' });
      const next = (await one.submit(work('next'), signal))!;
      expect(next.facts).not.toHaveProperty('builder');
      await one.stop('cohortflow-next', signal);
    });

    it('never mixes two builds of a hash table: one is named, and the other goes', async () => {
      await start(undefined, {}, 'sleep 1');
      const names = ['a', 'b'];
      // Samples without a table build their own.
      await Promise.all(names.map((name) => whole(executor(), work(name, pairs('A')))));
      expect(calls().filter((line) => line === 'table')).toHaveLength(2);
      const tables = `${place}/work-${count}/dragen-hash-tables`;
      const [folder] = await files.names(tables);
      const winner = await files.readText(`${tables}/${folder}/READY`);
      expect(names.map((name) => `cohortflow-${name}`)).toContain(winner);
      expect(await files.names(`${tables}/${folder}/builds`)).toEqual([winner]);
    });

    it.each(['AwsDenied', 'AwsThrottled', 'AwsUnavailable'] as const)(
      'builds nothing because it could not look whether there is a hash table: %s',
      async (code) => {
        await start();
        const blind = Object.create(files, {
          readText: { value: () => Promise.reject(new CohortflowError(code, 'no answer')) },
        }) as Files;
        const settings: AwsSettings = {
          ...{ region: 'eu-central-1', work: `${place}/work-${count}` },
          dragen: { ami: AMI, instanceProfile: 'dragen' },
        };
        await expect(new DragenExecutor(settings, blind).submit(work('blind'), signal)).rejects.toMatchObject({ code });
        expect(census().launched).toBe(0);
      },
    );

    it('gives lanes as a list', async () => {
      await start();
      await whole(executor(), work('lanes', pairs('A', 'B')));
      expect(calls().filter((line) => /^lanes\.\d,lanes,library,/.test(line))).toEqual([
        'lanes.1,lanes,library,1,L1_1.fastq,L1_2.fastq',
        'lanes.2,lanes,library,2,L2_1.fastq,L2_2.fastq',
      ]);
    });

    it('unpacks archives', async () => {
      await start();
      const source: Source = { kind: 'sra', runs: [`${place}/run.sra`], strandedness: 'auto' };
      await whole(executor(), work('archive', source));
      expect(calls()).toContain('fastq-dump --split-files ./L1');
      expect(quantified()).toHaveLength(1);
    });

    it('looks at a public archive as nobody before the launch, and has the machine fetch it', async () => {
      await start();
      const client = new S3Client({ region: 'us-east-1', forcePathStyle: true });
      const Bucket = 'sra-pub-run-odp';
      await client.send(new CreateBucketCommand({ Bucket, ACL: 'public-read' }));
      const Key = 'sra/SRR000001/SRR000001';
      await client.send(new PutObjectCommand({ Bucket, Key, Body: 'archive', ACL: 'public-read' }));
      client.destroy();
      const source = (run: string): Source => ({ kind: 'sra', runs: [run], strandedness: 'auto' });
      const given = work('accession', source('srr000001'));
      await whole(executor(), given);
      expect(calls()).toContain('fastq-dump --split-files ./L1');
      await expect(executor().submit(work('typo', source('SRR000009')), signal)).rejects.toMatchObject({
        code: 'FileNotFound',
      });
      expect(census()).toMatchObject({ alive: 0, launched: 1 });
    });

    it('has the machine fetch the SRA tools as their bucket wants: signed, as nobody, or paying', async () => {
      const [open, own] = ['s3://public-tools', place];
      const client = new S3Client({ region: 'us-east-1', forcePathStyle: true });
      await client.send(new CreateBucketCommand({ Bucket: 'public-tools', ACL: 'public-read' }));
      const said = join(root, 'tools-calls');
      const tool = quickPrograms(said)['fastq-dump']!;
      mkdirSync(join(root, 'sratoolkit'));
      writeFileSync(join(root, 'sratoolkit/fastq-dump'), `#!/bin/sh\n${tool}`, { mode: 0o755 });
      const Body = execFileSync('tar', ['-cz', '-C', root, 'sratoolkit']);
      await client.send(new PutObjectCommand({ Bucket: 'public-tools', Key: 't.tar.gz', Body, ACL: 'public-read' }));
      client.destroy();
      await files.copy(`${open}/t.tar.gz`, `${own}/t.tar.gz`);
      const { 'fastq-dump': _, ...programs } = quickPrograms(said);
      const image = { rootGb: 50, programs: { ...programs, aws: `echo "aws $*" >> ${said}\n${quickAws}` } };
      await start(undefined, { machines: { amis: { [AMI]: image } } });
      const source: Source = { kind: 'sra', runs: [`${place}/run.sra`], strandedness: 'auto' };
      const bucket = own.split('/')[2]!;
      const unpacked = async (name: string, from: string, s3: AwsSettings['s3'] = {}): Promise<string> => {
        rmSync(said, { force: true });
        await whole(executor({ sraTools: `${from}/t.tar.gz` }, 'default', {}, s3), work(name, source));
        const lines = readFileSync(said, 'utf8').split('\n');
        expect(lines).toContain('fastq-dump --split-files ./L1');
        return lines.find((line) => line.includes('/t.tar.gz')) ?? '';
      };
      expect(await unpacked('tools', own)).toContain(`--only-show-errors ${own}`);
      expect(await unpacked('open-tools', open, { anonymous: ['public-tools'] })).toContain(
        `--no-sign-request ${open}`,
      );
      const paying = await unpacked('paid-tools', open, { requesterPays: ['public-tools'] });
      expect(paying).toContain(`--request-payer requester ${open}`);
      // A bucket that is called public and is not: nobody signs, and S3 refuses.
      await expect(unpacked('closed-tools', own, { anonymous: [bucket] })).rejects.toMatchObject({ code: 'AwsDenied' });
    });

    it('asks for the time that a sample may take: what the service gives by itself is an hour', async () => {
      await start();
      await whole(executor(), work('usual', pairs('A')));
      await whole(executor({ maxMinutes: 90 }), work('ninety', pairs('A')));
      expect(account.commands.timeouts()).toEqual([360 * 60, 90 * 60]);
    });

    it('takes the machine image that a parameter names, also when it comes to name another', async () => {
      const parameters: Record<string, string> = { '/dragen/latest': AMI };
      const image = { rootGb: 50, programs: {} };
      const other = 'ami-00000000000000002';
      // The first machine is not seen yet when the work is submitted again, as after a lost answer.
      await start(undefined, { parameters, machines: { unseenSeconds: 20, amis: { [AMI]: image, [other]: image } } });
      const one = executor({ ami: undefined, amiParameter: '/dragen/latest' } as unknown as AwsSettings['dragen']);
      const given = work('parameter', pairs('A'));
      expect(await one.submit(given, signal)).toBeDefined();
      parameters['/dragen/latest'] = other;
      expect(await one.submit(given, signal)).toBeDefined();
      await sleep(2_500);
      await one.stop(given.name, signal);
      expect(census().alive).toBe(0);
    });

    it.each([
      ['an object', () => `${place}/licence.cfg`, 'licence of an object'],
      [
        'a secret',
        () => 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:dragen-a1b2c3',
        'licence of a secret',
      ],
      ['a parameter', () => '/dragen/licence', 'licence of a parameter'],
    ])('has the machine fetch the licence itself: %s', async (_what, licence, text) => {
      await start(undefined, {
        secrets: { 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:dragen-a1b2c3': 'licence of a secret' },
        parameters: { '/dragen/licence': 'licence of a parameter' },
      });
      const given = work('licensed', pairs('A'));
      await whole(executor({ licence: licence() }), given);
      expect(calls()).toContain(text);
      expect(await files.readText(`${given.place}/request/run.sh`).catch(() => '')).not.toContain(text);
    });
  });

  describe('when work ends badly', () => {
    it.each([
      ['DRAGEN fails', 'echo "ERROR: no such contig" >&2; exit 1', 'DragenFailed'],
      ['the system kills it', 'kill -9 $$', 'JobKilled'],
      ['it leaves no table', 'exit 0', 'DragenFailed'],
    ])(
      'names the code, says what the program said last, and keeps the log, as when %s',
      async (_what, before, code) => {
        await start(before);
        const given = work('badly', pairs('A'));
        const words = before.includes('contig') ? ': ERROR: no such contig' : '';
        await expect(whole(executor(), given)).rejects.toMatchObject({
          code,
          message: expect.stringMatching(
            new RegExp(`\\(exit \\d+\\)${words}; its log: ${given.logs}\\.log$`),
          ) as string,
        });
        // Its own place goes with the run.
        await files.remove(given.place);
        const log = await files.readText(`${given.logs}.log`);
        expect(log).toContain('== dragen.log');
        if (before.includes('contig')) expect(log).toContain('ERROR: no such contig');
        expect(census()).toMatchObject({ alive: 0, launched: 1 });
      },
    );

    it('ends what takes longer than it may', async () => {
      await start('sleep 60', { scale: 100 });
      await expect(whole(executor({ maxMinutes: 1 }), work('long', pairs('A')))).rejects.toMatchObject({
        code: 'JobTimedOut',
      });
      expect(census().alive).toBe(0);
    });

    it('tells reads that are gone meanwhile from reads that do not come', async () => {
      await start();
      for (const mate of [1, 2]) await files.copy(`${place}/A_${mate}.fastq`, `${place}/gone_${mate}.fastq`);
      const one = executor();
      const given = work('gone', pairs('gone'));
      const ticket = (await one.submit(given, signal))!;
      await files.remove(`${place}/gone_2.fastq`);
      await expect(one.await(ticket, signal, () => undefined)).rejects.toMatchObject({
        code: 'FileNotFound',
        message: expect.stringContaining('gone_2.fastq') as string,
      });
      await one.stop(given.name, signal);
      expect(census()).toMatchObject({ alive: 0, launched: 1 });
    });

    it('says that the machine image has no AWS CLI', async () => {
      await start(undefined, { machines: { amis: { [AMI]: { rootGb: 50, programs: { aws: 'exit 71' } } } } });
      await expect(whole(executor(), work('no-cli', pairs('A')))).rejects.toMatchObject({
        code: 'DragenFailed',
        message: expect.stringMatching(/lacks a program .* aws; .*ssm names it$/) as string,
      });
    });

    it('says which program the machine image lacks', async () => {
      await start(undefined, { machines: { amis: { [AMI]: { rootGb: 50, programs: { aws: quickAws } } } } });
      await expect(whole(executor(), work('bare', pairs('A')))).rejects.toMatchObject({
        code: 'DragenFailed',
        message: expect.stringMatching(/lacks a program .*: dragen; its log/) as string,
      });
    });
  });

  describe('when machines go', () => {
    it.each([
      ['before it runs', () => census().machines.length > 0],
      ['before its agent answers', () => census().machines[0]?.state === 'running'],
      ['while DRAGEN runs', () => quantified().length > 0],
    ])('tells a machine that was taken back %s', async (_when, moment) => {
      await start('sleep 60');
      const given = work('taken', pairs('A'));
      const ended = whole(executor(), given).catch((error: unknown) => error);
      await when(moment);
      account.machines.interrupt(census().machines[0]!.id);
      expect(await ended).toMatchObject({
        code: 'InstanceLost',
        message: expect.stringContaining('Spot') as string,
      });
      expect(census().alive).toBe(0);
    });

    // DRAGEN ends with a code of its own when it is asked to end, though its child may have been asked a moment before.
    const DRAGEN_THAT_ENDS = `trap 'exit 1' TERM; : > "$COHORTFLOW_BOX_ROOT/listens"; while :; do sleep 60 & wait; done`;
    const listens = (): boolean =>
      [...account.machines.all.values()].some(({ box }) => box !== undefined && existsSync(join(box.root, 'listens')));

    it('takes no word for it that DRAGEN failed from a machine that went down', async () => {
      await start(DRAGEN_THAT_ENDS);
      const one = executor();
      const given = work('down', pairs('A'));
      const ticket = (await one.submit(given, signal))!;
      const waiting = new AbortController();
      const first = one.await(ticket, waiting.signal, () => undefined).catch((error: unknown) => error);
      await when(listens);
      waiting.abort();
      await first;
      account.machines.interrupt(census().machines[0]!.id, { seconds: 600, says: false });
      await when(async () => (await files.stat(`${given.place}/results/end.json`)) !== undefined);
      expect(JSON.parse(await files.readText(`${given.place}/results/end.json`))).toMatchObject({ ok: false, exit: 1 });
      await expect(one.await(ticket, signal, () => undefined)).rejects.toMatchObject({
        code: 'InstanceLost',
        message: expect.stringMatching(/Spot.*DRAGEN ended with an error/) as string,
      });
      await one.stop(given.name, signal);
      expect(census().alive).toBe(0);
    });

    it('hears nothing from a machine that knows that it goes down', async () => {
      await start(DRAGEN_THAT_ENDS);
      const given = work('aware', pairs('A'));
      const ended = whole(executor(), given).catch((error: unknown) => error);
      await when(listens);
      account.machines.interrupt(census().machines[0]!.id, { seconds: 30, says: true });
      expect(await ended).toMatchObject({ code: 'InstanceLost' });
      expect(await files.stat(`${given.place}/results/end.json`)).toBeUndefined();
      expect(census().alive).toBe(0);
    });

    it('takes what a machine had finished before it was taken back', async () => {
      await start();
      const one = executor();
      const given = work('just', pairs('A'));
      const ticket = (await one.submit(given, signal))!;
      const waiting = new AbortController();
      const first = one.await(ticket, waiting.signal, () => undefined).catch((error: unknown) => error);
      await when(async () => (await files.stat(`${given.place}/results/end.json`)) !== undefined);
      // The one who waited is gone too: another worker takes over, after the machine has gone.
      waiting.abort();
      await first;
      account.machines.interrupt(census().machines[0]!.id);
      expect(await one.await(ticket, signal, () => undefined)).toMatchObject({
        results: { quant: [`${given.place}/results/just.quant.sf`] },
      });
      await one.stop(given.name, signal);
      expect(census()).toMatchObject({ alive: 0, launched: 1 });
    });

    it('hears of the end of work in S3 when the agent has fallen silent', async () => {
      await start('sleep 2');
      const ended = whole(executor(), work('silent', pairs('A')));
      await when(() => quantified().length > 0);
      for (const machine of account.machines.all.values()) machine.agentLost = true;
      expect(await ended).toMatchObject({ results: { quant: [expect.stringContaining('silent.quant.sf')] } });
      expect(census().alive).toBe(0);
    });

    it('takes a machine whose agent stays silent for lost, and ends it', async () => {
      await start('sleep 600');
      const began = Date.now();
      const ended = whole(executor({}, 'default', { silent: 1500 }), work('mute', pairs('A'))).catch(
        (error: unknown) => error,
      );
      await when(() => quantified().length > 0);
      for (const machine of account.machines.all.values()) machine.agentLost = true;
      expect(await ended).toMatchObject({ code: 'InstanceLost', retryable: true });
      expect(Date.now() - began).toBeGreaterThan(1500);
      expect(census().alive).toBe(0);
    });
  });

  describe('when answers are lost', () => {
    it.each(['drop-after', 'drop-before', 'unavailable', 'throttle'] as const)(
      'starts one machine, works once and leaves none: %s',
      async (fault) => {
        await start('sleep 1');
        for (const action of ['RunInstances', 'SendCommand', 'TerminateInstances', 'DescribeInstances']) {
          account.faults.next(action, fault, fault);
        }
        await whole(executor(), work('lost', pairs('A')));
        expect(census()).toMatchObject({ alive: 0, launched: 1 });
        expect(quantified()).toHaveLength(1);
      },
    );
  });

  describe('before anything is launched', () => {
    it('tries every subnet for want of machines', async () => {
      await start();
      account.faults.noCapacity('subnet-a');
      await whole(executor(), work('elsewhere', pairs('A')));
      expect(census().machines.map(({ subnet }) => subnet)).toEqual(['subnet-b']);
      account.faults.noCapacity('subnet-b');
      await expect(whole(executor(), work('nowhere', pairs('A')))).rejects.toMatchObject({ code: 'AwsNoCapacity' });
      expect(census()).toMatchObject({ alive: 0, launched: 1 });
    });

    it('says that the quota is used up', async () => {
      await start(undefined, { machines: { vcpus: 24 } });
      const one = executor();
      await one.submit(work('first', pairs('A')), signal);
      await expect(one.submit(work('second', pairs('A')), signal)).rejects.toMatchObject({ code: 'AwsQuotaExceeded' });
      await one.stop('cohortflow-first', signal);
      expect(census()).toMatchObject({ alive: 0, launched: 1 });
    });

    it.each([
      ['reads that are not there', {}, () => pairs('missing'), 'FileNotFound'],
      [
        'files that are not in S3',
        {},
        (): Source => ({ kind: 'fastq', lanes: [{ fastq1: '/here/a.fastq' }], strandedness: 'auto' }),
        'InvalidInput',
      ],
      [
        'lanes of pairs and of single reads',
        {},
        (): Source => ({
          kind: 'fastq',
          lanes: [{ fastq1: `${place}/A_1.fastq`, fastq2: `${place}/A_2.fastq` }, { fastq1: `${place}/B_1.fastq` }],
          strandedness: 'auto',
        }),
        'UnpairedReads',
      ],
      ['no machine image', { ami: undefined }, () => pairs('A'), 'AwsNotConfigured'],
    ])('refuses %s', async (_what, dragen, source, code) => {
      await start();
      await expect(whole(executor(dragen as AwsSettings['dragen']), work('refused', source()))).rejects.toMatchObject({
        code,
      });
      expect(census().launched).toBe(0);
    });

    it('refuses reads that no disk of the settings would hold', async () => {
      await start();
      const big = Object.create(files, {
        stat: { value: async (path: string) => ({ path, name: path, size: 2e12, kind: 'file' }) },
      }) as Files;
      const settings: AwsSettings = { region: 'eu-central-1', work: `${place}/work`, dragen: { ami: AMI } };
      const given = work('big', pairs('A'));
      await expect(new DragenExecutor(settings, big).submit(given, signal)).rejects.toMatchObject({
        code: 'MachineTooSmall',
      });
      expect(census().launched).toBe(0);
    });
  });

  describe('nothing is left', () => {
    it('whenever it is stopped', async () => {
      await start('sleep 60');
      const one = executor();
      const random = seeded(3);
      const moments = Array.from({ length: 8 }, (_, at) => ({ at, ms: random() * 3_000 }));
      await Promise.all(
        moments.map(async ({ at, ms }) => {
          const given = work(`stopped-${at}`, pairs('A'));
          const asked = new AbortController();
          const ended = one
            .submit(given, asked.signal)
            .then((ticket) => one.await(ticket!, asked.signal, () => undefined))
            .catch((error: unknown) => error);
          await sleep(ms);
          asked.abort();
          await ended;
          await one.stop(given.name, signal);
        }),
      );
      expect(census().alive).toBe(0);
    });

    it('when nobody comes back: a machine without work, and one that has done its work, end themselves', async () => {
      await start(undefined, { scale: 1_800 });
      const one = executor();
      await one.submit(work('without', pairs('A')), signal);
      // An hour at this scale.
      await when(() => census().machines[0]?.state === 'terminated');
      const done = work('done', pairs('A'));
      await one.await((await one.submit(done, signal))!, signal, () => undefined);
      await when(() => census().alive === 0);
      expect(census().launched).toBe(2);
    });

    it('and nothing of another namespace is listed', async () => {
      await start();
      const [ours, theirs] = [executor({}, 'ours'), executor({}, 'theirs')];
      await ours.submit(work('a', pairs('A'), 'ours'), signal);
      await theirs.submit(work('b', pairs('A'), 'theirs'), signal);
      await when(() => census().machines.every(({ state }) => state === 'running'));
      const found = await ours.alive(signal);
      expect(found).toMatchObject([{ executor: 'dragen', name: 'cohortflow-a', workflowId: 'workflow-a' }]);
      await ours.end(found[0]!, signal);
      expect(await ours.alive(signal)).toEqual([]);
      expect(await theirs.alive(signal)).toHaveLength(1);
      await theirs.stop('cohortflow-b', signal);
      expect(census().alive).toBe(0);
    });
  });

  describe('on a pool', () => {
    it('gives a machine to one sample after another, with the hash table on its disk', async () => {
      await start();
      const one = executor({ instances: 1 });
      for (const name of ['one', 'two', 'three']) await whole(one, work(name, pairs('A')));
      expect(census()).toMatchObject({ alive: 1, launched: 1 });
      expect(quantified()).toHaveLength(3);
      expect(calls().filter((line) => line === 'table')).toHaveLength(1);
      const [idle] = await one.alive(signal);
      expect(idle).toMatchObject({ name: 'none' });
      expect(Date.parse(idle!.idleSince!)).toBeGreaterThan(Date.parse(idle!.since!));
      await one.end(idle!, signal);
      expect(census().alive).toBe(0);
    });

    it('ends no machine that was idle when it was listed and has work since', async () => {
      await start();
      const one = executor({ instances: 1 });
      await whole(one, work('one', pairs('A')));
      const [idle] = await one.alive(signal);
      const ticket = await one.submit(work('two', pairs('A')), signal);
      await one.end(idle!, signal);
      const [held] = await one.alive(signal);
      expect(held).toMatchObject({ id: idle!.id, workflowId: 'workflow-two' });
      expect(held!.idleSince).toBeUndefined();
      await one.await(ticket!, signal, () => undefined);
      const began = Date.parse(held!.since!);
      const [bill, ...others] = await one.stop(ticket!.name, signal);
      // Its own time on the machine, which had other work before.
      expect(bill).toMatchObject({ executor: 'dragen', instanceType: 'f2.6xlarge' });
      expect(bill!.seconds).toBeLessThan((Date.now() - began) / 1000 - paid[0]!.seconds + 0.5);
      expect(others).toEqual([]);
      expect(census()).toMatchObject({ alive: 1, launched: 1 });
    });

    it('uses no machine again whose sample ended badly', async () => {
      await start('case "$prefix" in bad) exit 9 ;; esac');
      const one = executor({ instances: 1 });
      await expect(whole(one, work('bad', pairs('A')))).rejects.toMatchObject({ code: 'DragenFailed' });
      expect(census().alive).toBe(0);
      await whole(one, work('good', pairs('A')));
      expect(census()).toMatchObject({ alive: 1, launched: 2 });
    });

    it('knows whose a machine is, and ends the one whose work is stopped', async () => {
      await start('sleep 60');
      const one = executor({ instances: 1 });
      const given = work('held', pairs('A'));
      const asked = new AbortController();
      const ended = one
        .submit(given, signal)
        .then((ticket) => one.await(ticket!, asked.signal, () => undefined))
        .catch((error: unknown) => error);
      await when(() => quantified().length > 0);
      expect(await one.alive(signal)).toMatchObject([{ name: given.name, workflowId: 'workflow-held' }]);
      asked.abort();
      await ended;
      await one.stop(given.name, signal);
      expect(census().alive).toBe(0);
      expect(await files.names(`${place}/work-${count}/dragen-hash-tables/machines`)).toEqual([]);
    });

    it('ends a machine that was started so short ago that nobody sees it yet', async () => {
      await start('sleep 60', { machines: { unseenSeconds: 30 } });
      const one = executor({ instances: 1 });
      const given = work('unseen', pairs('A'));
      await one.submit(given, signal);
      await one.stop(given.name, signal);
      expect(census()).toMatchObject({ alive: 0, launched: 1 });
      expect(await files.names(`${place}/work-${count}/dragen-hash-tables/machines`)).toEqual([]);
    });

    it('ends its machines a quarter of an hour after their last work', async () => {
      await start(undefined, { scale: 600 });
      await whole(executor({ instances: 1 }), work('last', pairs('A')));
      await when(() => census().alive === 0);
      expect(census().launched).toBe(1);
    });
  });
}
