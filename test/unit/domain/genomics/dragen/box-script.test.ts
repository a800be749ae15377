import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import {
  boxScript,
  type BoxReads,
  type BoxSample,
  type BoxWork,
  DRAGEN_PROFILES,
  dragenProfile,
  fetchAndRun,
  joinedReads,
  parseBoxEnd,
  plainName,
  watchdog,
} from '../../../../../src/domain/genomics/dragen/index.js';
import { RecordingMachine, type Behaviour } from '../../../../support/aws/recording-machine.js';

const object = (uri: string, ...options: readonly string[]) => ({ uri, options });
const PLACE = 's3://work/a/cohortflow-1';
const LOGS = 's3://results/run/logs/r/cohortflow-1';
const ONE_LANE: BoxReads = {
  kind: 'fastq',
  lanes: [{ first: object('s3://reads/a_1.fastq.gz'), second: object('s3://reads/a_2.fastq.gz') }],
};
const SINGLE: BoxReads = { kind: 'fastq', lanes: [{ first: object('s3://reads/a.fq') }] };
const TWO_LANES: BoxReads = {
  kind: 'fastq',
  lanes: [
    ...ONE_LANE.lanes,
    { first: object('s3://reads/b_1.fastq'), second: object('s3://reads/b_2.fastq', '--request-payer', 'requester') },
  ],
};
const ARCHIVES: BoxReads = {
  kind: 'sra',
  runs: [object('s3://sra/SRR1', '--no-sign-request'), object('s3://sra/SRR2')],
};
/** Builds of the hash table: one to be made, and one to be fetched. */
const TABLE = 's3://tables/4.3-a/builds/w/';
const READY = { uri: TABLE, ready: true };
const FORMS = { pairs: ONE_LANE, single: SINGLE, lanes: TWO_LANES, archives: ARCHIVES };

type Wanted = Partial<Omit<BoxWork, 'sample'>> & { readonly profile?: string; readonly sample?: Partial<BoxSample> };

/** Work on a sample as a profile asks for it. */
function work({ profile = '4.3', sample = {}, ...more }: Wanted = {}): BoxWork {
  const { hashTable, quantify, lanesAsList, fastqDump, resultsFolder } = dragenProfile(profile);
  const name = 'R01-001';
  const annotation = sample.annotation ?? object('s3://ref/genes.gtf.gz');
  const reference = more.reference ?? object('s3://ref/hg38.fa.gz');
  const command = (paired: boolean): readonly string[] =>
    quantify({
      ...{ name, paired, reads: joinedReads(name, paired), strandedness: 'auto' },
      ...{ annotation: plainName(annotation.uri), keepAlignments: false, licence: sample.licence !== undefined },
    });
  const commands = { paired: command(true), single: command(false) };
  return {
    ...{ place: PLACE, logs: LOGS, reference, table: { uri: TABLE, ready: false } },
    buildTable: hashTable(plainName(reference.uri)),
    ...{ bytes: 1_000, lingerMinutes: 15, watchdogMinutes: 420 },
    ...more,
    sample: {
      ...{ name, reads: ONE_LANE, annotation, lanesAsList, fastqDump, resultsFolder, quantify: commands },
      roomPerByte: 6,
      ...sample,
    },
  };
}

const tableOnly = (): BoxWork => {
  const { sample: _, ...rest } = work();
  return rest;
};

const machines: RecordingMachine[] = [];
function machine(behaviour?: Behaviour): RecordingMachine {
  const made = new RecordingMachine(behaviour);
  machines.push(made);
  return made;
}
afterEach(() => machines.splice(0).forEach((one) => one.destroy()));

describe('the script of a machine', () => {
  it.each(DRAGEN_PROFILES)('is bash, whatever is asked of it: %s', (profile) => {
    for (const reads of Object.values(FORMS)) {
      for (const extras of [{}, { licence: ['aws', 's3', 'cp', 's3://a/b', '-'], alignments: 's3://kept/R01-001/' }]) {
        for (const kmsKey of [{}, { kmsKey: 'arn:aws:kms:eu-central-1:1:key/2' }]) {
          const script = boxScript(work({ profile, ...kmsKey, sample: { reads, ...extras } }));
          expect(spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' })).toMatchObject({
            status: 0,
            stderr: '',
          });
        }
      }
    }
    expect(spawnSync('bash', ['-n'], { input: boxScript(tableOnly()) }).status).toBe(0);
    expect(spawnSync('bash', ['-n'], { input: watchdog(59.5) }).status).toBe(0);
    expect(spawnSync('sh', ['-n'], { input: fetchAndRun(`${PLACE}/run.sh`).join('\n') }).status).toBe(0);
  });

  it.each(DRAGEN_PROFILES.flatMap((profile) => Object.keys(FORMS).map((form) => [profile, form] as const)))(
    'runs the commands of the profile word for word and says what it kept: %s, %s',
    async (profile, form) => {
      const box = machine();
      const wanted = work({ profile, sample: { reads: FORMS[form as keyof typeof FORMS] } });
      expect(await box.run(boxScript(wanted))).toBe(0);
      const { paired, single } = wanted.sample!.quantify;
      expect(box.calls('dragen')).toEqual([wanted.buildTable, form === 'single' ? single : paired]);
      const digest = (name: string): string => createHash('sha256').update(box.file(name)!).digest('hex');
      expect(box.end()).toMatchObject({ ok: true, step: 'results', exit: 0, version: '4.3.13' });
      expect([...box.end().results].sort((a, b) => a.name.localeCompare(b.name))).toEqual(
        ['R01-001.mapping_metrics.csv', 'R01-001.quant.sf'].map((name) => ({ name, sha256: digest(name) })),
      );
      // What says that all is there comes last.
      expect(box.kept().at(-1)).toBe(`${PLACE}/results/end.json`);
      expect(box.kept()).toContain(TABLE);
    },
  );

  it.each([
    ['says it as older ones do', "echo 'dragen Version 07.021.624.3.7.8'", '07.021.624.3.7.8'],
    ['has no word for it', 'echo usage >&2; exit 1', ''],
    ['says what is none', "echo 'Version \"; rm'", ''],
  ])('is as well with a DRAGEN that %s', async (_what, version, wanted) => {
    const box = machine({ version });
    expect(await box.run(boxScript(work()))).toBe(0);
    expect(box.end()).toMatchObject({ ok: true, version: wanted });
  });

  it('fetches as the settings say: as nobody, or paying', async () => {
    const box = machine();
    await box.run(boxScript(work({ sample: { reads: ARCHIVES } })));
    await box.run(boxScript(work({ place: `${PLACE}-2`, sample: { reads: TWO_LANES } })));
    const fetched = (uri: string) => box.calls('aws').find((words) => words.at(-2) === uri);
    const copy = ['aws', 's3', 'cp', '--only-show-errors'];
    expect(fetched('s3://sra/SRR1')).toEqual([...copy, '--no-sign-request', 's3://sra/SRR1', 'L1']);
    expect(fetched('s3://sra/SRR2')).toEqual([...copy, 's3://sra/SRR2', 'L2']);
    expect(fetched('s3://reads/b_2.fastq')?.slice(4, 6)).toEqual(['--request-payer', 'requester']);
  });

  it('encrypts all that it keeps by the key of the settings', async () => {
    const box = machine();
    await box.run(boxScript(work({ kmsKey: 'key 1', sample: { alignments: 's3://kept/R01-001/' } })));
    const puts = box.calls('aws').filter((words) => words[2] === 'cp' && !words.at(-2)!.startsWith('s3://'));
    expect(puts.length).toBeGreaterThan(5);
    for (const words of puts) expect(words.join(' ')).toContain('--sse aws:kms --sse-kms-key-id key 1 ');
    expect(box.kept()).toContain('s3://kept/R01-001/R01-001.bam.bai');
  });

  it('lists lanes for the versions that take a list, and joins them for the others', async () => {
    const listed = machine();
    await listed.run(boxScript(work({ sample: { reads: TWO_LANES } })));
    expect(String(listed.file('fastq-list.csv')).trim().split('\n')).toEqual([
      'RGID,RGSM,RGLB,Lane,Read1File,Read2File',
      'R01-001.1,R01-001,library,1,L1_1.fastq.gz,L1_2.fastq.gz',
      'R01-001.2,R01-001,library,2,L2_1.fastq,L2_2.fastq',
    ]);
    const joined = machine();
    await joined.run(boxScript(work({ profile: 'seed', sample: { reads: TWO_LANES } })));
    for (const mate of [1, 2]) {
      const text = String(gunzipSync(joined.file(`R01-001_${mate}.fastq.gz`)!));
      expect(text).toBe(`s3://reads/a_${mate}.fastq.gz\ns3://reads/b_${mate}.fastq\n`);
    }
  });

  it('leaves no reads behind, and keeps its hash table for the next', async () => {
    const box = machine();
    await box.run(boxScript(work()));
    expect(readdirSync(join(box.root, 'var/lib/cohortflow/work')).sort()).toEqual(['hash-table', 'hash-table.from']);
    await box.run(boxScript(work({ place: `${PLACE}-2` })));
    expect(box.calls('dragen')).toHaveLength(3);
    // Another table takes its place.
    await box.run(boxScript(work({ place: `${PLACE}-3`, table: { uri: 's3://tables/4.3-b/', ready: false } })));
    expect(box.calls('dragen')).toHaveLength(5);
  });

  it('fetches a hash table that is ready, and takes none that is half on its disk', async () => {
    const box = machine({ table: 'echo half > hash-table/hash_table.cfg; exit 1' });
    expect(await box.run(boxScript(tableOnly()))).toBe(1);
    expect(box.end()).toMatchObject({ ok: false, step: 'table', exit: 1, results: [] });
    expect(box.kept().filter((uri) => uri.startsWith('s3://tables/'))).toEqual([]);
    box.become({});
    expect(await box.run(boxScript(work({ place: `${PLACE}-2`, table: READY })))).toBe(0);
    expect(box.calls('dragen').filter((words) => words.includes('--build-hash-table'))).toHaveLength(1);
    expect(box.calls('aws').filter((words) => words.at(-2) === TABLE)).toHaveLength(1);
    // Of one that was taken away the client says nothing.
    box.become({ copy: `case "$from" in ${TABLE}) mkdir -p "$to"; exit 0 ;; esac` });
    box.forget();
    expect(await box.run(boxScript(work({ place: `${PLACE}-3`, table: READY })))).toBe(72);
    expect(box.end()).toMatchObject({ ok: false, step: 'table', what: 'w' });
  });

  it('is given its time when it begins, and the rest when it has ended', async () => {
    const box = machine();
    await box.run(boxScript(work()));
    expect(box.calls('shutdown')).toEqual([
      ['shutdown', '-h', '+420'],
      ['shutdown', '-h', '+15'],
    ]);
    expect(watchdog(59.5)).toContain('shutdown -h +60');
  });
});

describe('a script that is run again', () => {
  it.each([
    ['well', {}, 0],
    ['badly', { dragen: 'exit 7' }, 7],
  ])('works once and ends as before: %s', async (_how, behaviour, code) => {
    const box = machine(behaviour);
    const script = boxScript(work());
    expect(await box.run(script)).toBe(code);
    const before = box.calls().length;
    box.become({});
    expect(await box.run(script)).toBe(code);
    expect(box.calls()).toHaveLength(before);
  });

  it('waits for the one that runs, and works once', async () => {
    const box = machine({ dragen: '/bin/sleep 0.3' });
    const script = boxScript(work());
    expect(await Promise.all([1, 2, 3].map(() => box.run(script)))).toEqual([0, 0, 0]);
    expect(box.calls('dragen')).toHaveLength(2);
  });

  it('is fetched by what Systems Manager is given, into a file of its own', async () => {
    const box = machine({ copy: 'case "$from" in */run.sh) echo "exit 5" > "$to"; exit 0 ;; esac' });
    const commands = fetchAndRun('s3://work/$(touch ran)/run.sh').join('\n');
    expect([await box.run(commands, 'sh'), await box.run(commands, 'sh')]).toEqual([5, 5]);
    expect(new Set(box.calls('aws').map((words) => words.at(-1))).size).toBe(2);
    expect(existsSync(join(box.root, 'ran'))).toBe(false);
    box.become({ without: ['aws'] });
    expect(await box.run(commands, 'sh')).toBe(71);
  });
});

describe('a script that fails', () => {
  it.each<[string, Behaviour, Wanted, string, number]>([
    ['the reference', { copy: 'case "$from" in *hg38*) exit 1 ;; esac' }, {}, 'reference', 1],
    ['the annotation', { copy: 'case "$from" in *genes*) exit 1 ;; esac' }, {}, 'reference', 1],
    ['reads', { copy: 'case "$from" in *a_2*) exit 1 ;; esac' }, {}, 'reads', 1],
    ['reads without content', { copy: 'case "$from" in *a_2*) : > "$to"; exit 0 ;; esac' }, {}, 'reads', 75],
    ['an archive', { unpack: 'exit 3' }, { sample: { reads: ARCHIVES } }, 'unpack', 3],
    ['a hash table', { table: 'exit 4' }, {}, 'table', 4],
    ['a hash table that cannot be kept', { copy: 'case "$to" in */4.3-a/*) exit 1 ;; esac' }, {}, 'table', 1],
    ['a licence', {}, { sample: { licence: ['false'] } }, 'licence', 1],
    ['a licence without content', {}, { sample: { licence: ['true'] } }, 'licence', 1],
    ['DRAGEN', { dragen: 'echo "ERROR: no contig" >&2; exit 9' }, {}, 'dragen', 9],
    ['DRAGEN that is killed', { dragen: 'kill -9 $$' }, {}, 'dragen', 137],
    ['DRAGEN without a table', { dragen: 'exit 0' }, {}, 'dragen', 1],
    ['results', { copy: 'case "$to" in *quant.sf) exit 1 ;; esac' }, {}, 'results', 1],
    ['room', {}, { bytes: 1e18 }, 'space', 70],
    ['a program', { without: ['dragen'] }, {}, 'space', 71],
    ['a code that looks like ours', { dragen: 'exit 72' }, {}, 'dragen', 1],
  ])('says at which step, and keeps its log: %s', async (_what, behaviour, wanted, step, exit) => {
    const box = machine(behaviour);
    expect(await box.run(boxScript(work(wanted)))).toBe(exit);
    expect(box.end()).toMatchObject({ ok: false, step, exit, results: [] });
    expect(box.kept().slice(-2)).toEqual([`${LOGS}.log`, `${PLACE}/results/end.json`]);
    if (exit === 9) expect(box.end().said).toBe('ERROR: no contig');
    if (exit === 9) expect(String(box.file('cohortflow-1.log'))).toContain('== dragen.log\nERROR: no contig');
    // Nothing of the patient's stays on the disk.
    expect(readdirSync(join(box.root, 'var/lib/cohortflow/work')).filter((name) => !/^hash-table/.test(name))).toEqual(
      [],
    );
  });

  it.each([
    ['a later line that says nothing of it', 'ERROR: no \\"chr9\\"\\r\\nrun ended', "ERROR: no 'chr9'"],
    ['a backslash and what is not text', 'bad option: C:\\\\x\\a\\001é', 'bad option: C:/x'],
    ['nothing that looks like an error', 'first\\nlast\\n\\n', 'last'],
    ['nothing at all', '', undefined],
  ])('tells the line in which a program says why, and stays JSON: %s', async (_what, words, expected) => {
    const box = machine({ dragen: `printf '${words.replaceAll('\\"', '"')}'; exit 9` });
    await box.run(boxScript(work()));
    expect(parseBoxEnd(String(box.file('end.json')))?.said).toBe(expected);
  });

  it('says which program is missing before it fetches or builds anything', async () => {
    const box = machine({ without: ['fastq-dump'] });
    expect(await box.run(boxScript(work({ sample: { reads: ARCHIVES } })))).toBe(71);
    expect(box.end()).toMatchObject({ ok: false, step: 'space', exit: 71, what: 'fastq-dump' });
    expect(box.calls('dragen')).toEqual([]);
    expect(box.calls('aws').filter((words) => words.at(-2)!.startsWith('s3://'))).toEqual([]);
    // Who brings no archive needs none.
    expect(await box.run(boxScript(work({ place: `${PLACE}-2` })))).toBe(0);
  });

  it.each([
    ['An error occurred (404) when calling the HeadObject operation: Key "a" does not exist', 72],
    ['An error occurred (NoSuchBucket) when calling the GetObject operation: there is none', 72],
    ['An error occurred (403) when calling the HeadObject operation: Forbidden', 73],
    ['An error occurred (AccessDenied) when calling the GetObject operation: Access Denied', 73],
    ['download failed: [Errno 28] No space left on device', 70],
  ])('does not try in vain, and tells: %s', async (words, exit) => {
    const box = machine({ copy: `case "$from" in *a_2*) echo 'fatal error: ${words}' >&2; exit 1 ;; esac` });
    expect(await box.run(boxScript(work()))).toBe(exit);
    expect(box.end()).toMatchObject({ ok: false, step: 'reads', exit, what: exit === 70 ? '' : 'a_2.fastq.gz' });
    expect(box.calls('aws').filter((call) => call.at(-2)!.endsWith('a_2.fastq.gz'))).toHaveLength(1);
    expect(String(box.file('cohortflow-1.log'))).toContain(words);
  });

  it.each(['SlowDown', 'InternalError', 'RequestTimeout', '500'])('tries again what passes: %s', async (fault) => {
    const box = machine({
      copy: `case "$from" in *a_2*) echo 'fatal error: An error occurred (${fault}) when calling it' >&2; exit 1 ;; esac`,
    });
    expect(await box.run(boxScript(work()))).toBe(1);
    expect(box.calls('aws').filter((call) => call.at(-2)!.endsWith('a_2.fastq.gz'))).toHaveLength(3);
  });

  it('looks for room again when it knows how large an archive is', async () => {
    const room = machine();
    expect(await room.run(boxScript(work({ sample: { reads: ARCHIVES, roomPerByte: 1e13 } })))).toBe(70);
    expect(room.end()).toMatchObject({ ok: false, step: 'unpack', exit: 70 });
    expect(room.calls('fastq-dump')).toEqual([]);
  });

  it.each<[string, readonly [number, number], number, string]>([
    ['a single run before a paired one', [1, 2], 74, 'unpack'],
    ['a paired run before a single one', [2, 1], 74, 'unpack'],
    ['paired runs', [2, 2], 0, 'results'],
    ['single runs', [1, 1], 0, 'results'],
  ])('drops no mates: %s', async (_what, [first, second], exit, step) => {
    const mates = `if [ "$archive" = ./L1 ]; then mates=${first}; else mates=${second}; fi`;
    const box = machine({ unpack: mates });
    expect(await box.run(boxScript(work({ sample: { reads: ARCHIVES } })))).toBe(exit);
    expect(box.end()).toMatchObject({ ok: exit === 0, step });
    if (exit !== 0) expect(box.calls('dragen').filter((words) => !words.includes('--build-hash-table'))).toEqual([]);
  });

  it('tries transfers again before it gives up', async () => {
    const box = machine({
      copy: 'case "$from" in *a_1*) [ -e "$COHORTFLOW_BOX_ROOT/once" ] || { : > "$COHORTFLOW_BOX_ROOT/once"; exit 1; } ;; esac',
    });
    expect(await box.run(boxScript(work()))).toBe(0);
    expect(box.calls('aws').filter((words) => words.at(-2)!.endsWith('a_1.fastq.gz'))).toHaveLength(2);
  });
});

describe('a script that is ended from outside', () => {
  const moments: readonly (readonly [string, Behaviour])[] = [
    ['while reads come', { copy: 'case "$from" in *a_1*) : > "$COHORTFLOW_BOX_ROOT/there"; /bin/sleep 60 ;; esac' }],
    ['while DRAGEN runs', { dragen: ': > "$COHORTFLOW_BOX_ROOT/there"; /bin/sleep 60' }],
    ['between results', { copy: 'case "$to" in *quant.sf) : > "$COHORTFLOW_BOX_ROOT/there"; /bin/sleep 60 ;; esac' }],
  ];

  it.each(
    moments.flatMap(([when, behaviour]) =>
      (['SIGTERM', 'SIGHUP', 'SIGKILL'] as const).flatMap((signal) =>
        ['it', 'all that it started'].map((whom) => [when, signal, whom, behaviour] as const),
      ),
    ),
  )('says nothing, least of all that it went well, and can be done again: %s, by %s to %s', async (...given) => {
    const [, signal, whom, behaviour] = given;
    const box = machine(behaviour);
    const script = boxScript(work());
    const { pid, ended } = box.start(script);
    try {
      while (!existsSync(join(box.root, 'there'))) await sleep(10);
      process.kill(whom === 'it' ? pid : -pid, signal);
      expect(await ended).toBeGreaterThan(128);
    } finally {
      // What outlives it holds the lock, so that nothing runs beside it.
      spawnSync('kill', ['-KILL', '--', `-${pid}`]);
    }
    expect(box.file('end.json')).toBeUndefined();
    box.become({});
    expect(await box.run(script)).toBe(0);
    expect(box.end()).toMatchObject({ ok: true, exit: 0, results: [{}, {}] });
  });
});

describe('a machine that goes down', () => {
  it('has no word on a program that made an error of it', async () => {
    const box = machine({ dragen: 'exit 1', going: 'stopping' });
    expect(await box.run(boxScript(work()))).toBe(1);
    expect(box.file('end.json')).toBeUndefined();
    box.become({ going: 'running' });
    expect(await box.run(boxScript(work()))).toBe(0);
    expect(box.end()).toMatchObject({ ok: true });
  });

  it('says what it had finished all the same', async () => {
    const box = machine({ going: 'stopping' });
    expect(await box.run(boxScript(work()))).toBe(0);
    expect(box.end()).toMatchObject({ ok: true });
  });
});

describe('the SRA tools', () => {
  const TOOLS = 's3://work/sratoolkit.tar.gz';

  /** Puts an archive where the tools are fetched to; it holds this program, or is none. */
  const brings = (program: string | undefined): string => {
    if (program === undefined) return `case "$from" in ${TOOLS}) echo damaged > "$to"; exit 0 ;; esac`;
    return `case "$from" in ${TOOLS})
      mkdir -p "$COHORTFLOW_BOX_ROOT/t/sratoolkit.3/bin"
      cat > "$COHORTFLOW_BOX_ROOT/t/sratoolkit.3/bin/fastq-dump" <<'END'
#!/bin/bash
${program}
END
      chmod +x "$COHORTFLOW_BOX_ROOT/t/sratoolkit.3/bin/fastq-dump"
      tar -czf "$to" -C "$COHORTFLOW_BOX_ROOT/t" .; exit 0 ;; esac`;
  };

  it('come from S3 where the image has none, once on a machine', async () => {
    const box = machine({
      without: ['fastq-dump'],
      copy: brings('for mate in 1 2; do echo r > "$(basename "$3")_$mate.fastq"; done'),
    });
    const sample = { reads: ARCHIVES, sraTools: object(TOOLS), fastqDump: ['-I', '--split-files'] };
    expect(await box.run(boxScript(work({ sample })))).toBe(0);
    expect(await box.run(boxScript(work({ place: `${PLACE}-2`, sample })))).toBe(0);
    expect(box.calls('aws').filter((words) => words.at(-2) === TOOLS)).toHaveLength(1);
  });

  it.each([
    ['public', ['--no-sign-request']],
    ['paid for by whoever reads', ['--request-payer', 'requester']],
  ])('are fetched as their bucket wants: %s', async (_what, options) => {
    const box = machine({ without: ['fastq-dump'], copy: brings('exit 1') });
    await box.run(boxScript(work({ sample: { reads: ARCHIVES, sraTools: object(TOOLS, ...options) } })));
    const [words] = box.calls('aws').filter((call) => call.at(-2) === TOOLS);
    expect(words?.slice(0, -1)).toEqual(['aws', 's3', 'cp', '--only-show-errors', ...options, TOOLS]);
  });

  it('are missed by name where their archive holds none', async () => {
    const box = machine({ without: ['fastq-dump'], copy: brings(undefined) });
    expect(await box.run(boxScript(work({ sample: { reads: ARCHIVES, sraTools: object(TOOLS) } })))).toBe(71);
    expect(box.end()).toMatchObject({ ok: false, step: 'tools', what: 'fastq-dump' });
  });

  it('stay away where no archive is to be unpacked', async () => {
    const box = machine({ without: ['fastq-dump'] });
    expect(await box.run(boxScript(work({ sample: { sraTools: object(TOOLS) } })))).toBe(0);
    expect(box.calls('aws').filter((words) => words.at(-2) === TOOLS)).toEqual([]);
  });
});

describe('the Region of a machine', () => {
  it.each<[string, string | undefined, Readonly<Record<string, string>>, string]>([
    ['that of the settings', 'eu-central-1', { AWS_SSM_REGION_NAME: 'us-west-2' }, 'eu-central-1'],
    ['its own', undefined, { AWS_SSM_REGION_NAME: 'us-west-2' }, 'us-west-2'],
  ])('is %s', async (_what, region, environment, expected) => {
    const box = machine({
      copy: 'echo "$AWS_DEFAULT_REGION" > "$COHORTFLOW_BOX_ROOT/kept/region"; echo true > "$to"; exit 0',
    });
    expect(await box.run(fetchAndRun(`${PLACE}/run.sh`, region).join('\n'), 'sh', environment)).toBe(0);
    expect(String(box.file('region')).trim()).toBe(expected);
  });
});

describe('hostile names', () => {
  const EVIL = [
    '$(touch ran)',
    '`touch ran`',
    "'; touch ran; '",
    '"; touch ran; "',
    '\ntouch ran\n',
    '-rf',
    '* ?',
    '&& touch ran',
  ];

  it.each(EVIL.flatMap((name) => DRAGEN_PROFILES.slice(0, 2).map((profile) => [name, profile] as const)))(
    'are words and nothing else: %j, %s',
    async (evil, profile) => {
      const box = machine();
      const at = (bucket: string, end: string) => object(`s3://${bucket}/${evil}/${evil}${end}`);
      const uris = {
        reference: at('ref', '.fa.gz'),
        annotation: at('ref', '.gtf.gz'),
        first: at('reads', '_1.fastq.gz'),
        second: at('reads', '_2.fastq'),
      };
      const wanted = work({
        ...{ profile, reference: uris.reference, table: { uri: `s3://tables/${evil}/`, ready: false }, kmsKey: evil },
        sample: {
          annotation: uris.annotation,
          reads: { kind: 'fastq', lanes: [{ first: uris.first, second: uris.second }] },
          licence: ['aws', 's3', 'cp', `s3://licences/${evil}`, '-'],
          alignments: `s3://kept/${evil}/`,
        },
      });
      expect(await box.run(boxScript(wanted))).toBe(0);
      expect(readdirSync(box.root, { recursive: true }).filter((path) => String(path).endsWith('ran'))).toEqual([]);
      expect(box.calls('dragen')).toEqual([wanted.buildTable, wanted.sample!.quantify.paired]);
      const asked = box.calls('aws').map((words) => words.at(-2));
      for (const { uri } of Object.values(uris)) expect(asked).toContain(uri);
      expect(asked).toContain(`s3://licences/${evil}`);
      expect(box.kept()).toContain(`s3://tables/${evil}/`);
      expect(box.kept()).toContain(`s3://kept/${evil}/R01-001.bam`);
      for (const words of box.calls('aws').filter((call) => call.includes('--sse'))) {
        expect(words[words.indexOf('--sse-kms-key-id') + 1]).toBe(evil);
      }
    },
  );
});
