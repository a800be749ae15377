import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { groupFolder } from '../../../src/adapters/aws/account/holdings.js';
import { FileLedger } from '../../../src/adapters/local/file-ledger.js';
import { LocalFiles } from '../../../src/adapters/local/files.js';
import { infrastructure, type AccountServices } from '../../../src/app/clean-account.js';
import { resultsOfOutput } from '../../../src/app/clean-results.js';
import { removeAll } from '../../../src/app/clean.js';
import type { AwsSettings } from '../../../src/config/aws-settings.js';
import type { SweepResult, SweptWork } from '../../../src/contracts/sweep.js';
import type { AwsHoldings } from '../../../src/ports/aws-holdings.js';
import { failureOf } from '../../support/dicom/run-convert.js';
import { temporaryFolder } from '../../support/run-step.js';

const files = new LocalFiles();
const ledger = new FileLedger(files);
const { signal } = new AbortController();

function write(path: string, text = 'x'): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const image = '123456789012.dkr.ecr.us-east-1.amazonaws.com/cohortflow:1';

/** An account that holds things; what was taken down is remembered, in order. */
function account(changes: Partial<AwsHoldings> = {}): AwsHoldings & { readonly down: string[] } {
  const down: string[] = [];
  return {
    down,
    repository: async () => ({
      name: 'cohortflow',
      ours: true,
      images: [{ digest: 'sha256:1', tags: ['1'], bytes: 2e6 }],
    }),
    removeImages: async (_image, digests) => void down.push(...digests),
    key: async (id) => ({ id, ours: true }),
    scheduleKeyDeletion: async (id, days) => {
      down.push(`${id} in ${days}`);
      return '2027-01-01T00:00:00.000Z';
    },
    groupNames: async () => [],
    group: async () => undefined,
    removeGroup: async () => undefined,
    ...changes,
  };
}

const work = (id: string, reason: SweptWork['reason']): SweptWork => ({
  ...{ executor: 'sagemaker', id, name: id, reason, outcome: 'left' },
});
const nothing: SweepResult = { alive: 0, belongs: 0, found: [], unasked: [] };

describe('removing what runs made in an output folder', () => {
  let output: string;
  const clean = { files, ledger, isOpen: async () => false };

  beforeEach(async () => {
    output = temporaryFolder('clean-data');
    const owner = { workflowId: 'w', runId: 'r', startedAt: '', state: 'finished', endedAt: '2026-01-01T00:00:00Z' };
    await ledger.setOwner(output, owner as Parameters<FileLedger['setOwner']>[1]);
    for (const made of ['imaging/A/ct.nii.gz', 'run/outcomes.csv', 'dataset.csv', 'features/imaging/data/x.parquet']) {
      write(join(output, made), '12345');
    }
    write(join(output, 'notes.txt'));
  });

  it('lists results and records, removes them, and touches nothing else there', async () => {
    const found = await resultsOfOutput(output, clean);
    expect(found.map(({ path, kind }) => `${kind} ${path.slice(output.length + 1)}`)).toEqual([
      'results imaging',
      'results features',
      'results dataset.csv',
      'results run',
    ]);
    expect(found[0]).toMatchObject({ files: 1, bytes: 5 });
    expect(existsSync(join(output, 'imaging'))).toBe(true);
    await removeAll(files, found);
    expect(existsSync(join(output, 'run'))).toBe(false);
    expect(existsSync(join(output, 'dataset.csv'))).toBe(false);
    expect(existsSync(join(output, 'notes.txt'))).toBe(true);
  });

  it('refuses a folder that no run has written to', async () => {
    const other = temporaryFolder('clean-data');
    write(join(other, 'imaging', 'precious.dcm'));
    expect(await failureOf(resultsOfOutput(other, clean))).toMatchObject({ code: 'FileNotFound' });
  });

  it('refuses while a run is open there', async () => {
    await ledger.setOwner(output, { workflowId: 'w', runId: 'r', startedAt: '', state: 'running' });
    const open = { ...clean, isOpen: async () => true };
    expect(await failureOf(resultsOfOutput(output, open))).toMatchObject({ code: 'OutputBusy' });
  });
});

describe('the folder of the records of a group', () => {
  it('is the one named after it and when it was made, and no other', () => {
    const root = 's3://b/store/123456789012/sagemaker/us-east-1/offline-store';
    expect(groupFolder('g-1', `${root}/g-1-1700000000/data`)).toBe(`${root}/g-1-1700000000`);
    expect(groupFolder('g-1', `${root}/g-10-1700000000/data`)).toBeUndefined();
    expect(groupFolder('g-1', 's3://b/store')).toBeUndefined();
    expect(groupFolder('g-1', undefined)).toBeUndefined();
  });
});

describe('removing what an installation has in its account', () => {
  const job = `cohortflow-${'0'.repeat(32)}`;
  const place = (): string => {
    const folder = temporaryFolder('clean-work');
    write(join(folder, job, 'request', 'request.json'));
    write(join(folder, 'precious', 'study.dcm'));
    write(join(folder, 'cohortflow-notes.log'));
    return folder;
  };
  const settings = () => ({ kmsKey: 'alias/cohortflow', work: place(), sagemaker: { image } });
  const end =
    (ended: string[]) =>
    async ({ id }: SweptWork) =>
      void ended.push(id);

  it('lists work, images, the place of work and last the key, and takes them down in that order', async () => {
    const [holdings, ended] = [account(), [] as string[]];
    const alive = { ...nothing, alive: 2, found: [work('job-1', 'closed'), work('job-2', 'unknown')] };
    const found = await infrastructure(
      { settings: settings(), holdings, files },
      { alive, end: end(ended), keyDays: 7 },
      signal,
    );
    expect(found.holdings.map(({ kind, what }) => `${kind} ${what}`)).toEqual([
      'job or machine sagemaker job-1',
      'job or machine sagemaker job-2',
      'image cohortflow@sha256:1',
      'encryption key alias/cohortflow',
    ]);
    expect(found.holdings.at(-1)?.note).toContain('after 7 days');
    expect(found.files).toMatchObject([{ kind: 'what jobs read and left', files: 1 }]);
    expect(found.files[0]?.path.endsWith(`/${job}`)).toBe(true);
    expect([...holdings.down, ...ended]).toEqual([]);
    const said = [];
    for (const { remove } of found.holdings) said.push(await remove(signal));
    expect(ended).toEqual(['job-1', 'job-2']);
    expect(holdings.down).toEqual(['sha256:1', 'alias/cohortflow in 7']);
    expect(said.at(-1)).toBe('deleted at 2027-01-01T00:00:00.000Z');
  });

  it('lists what machines said, and hash tables, where the settings keep them, and nothing beside them', async () => {
    const table = `4.3-${'a'.repeat(16)}`;
    const list = async (settings: AwsSettings) => {
      const services = { settings, holdings: account(), files };
      const { files: found } = await infrastructure(services, { alive: nothing, end: end([]), keyDays: 7 }, signal);
      return found.map(({ kind, path }) => `${kind} ${path.split('/').slice(-2).join('/')}`);
    };
    const work = place();
    write(join(work, `${job}.log`));
    write(join(work, `${job}.ssm`, 'command', 'stderr'));
    write(join(work, 'dragen-hash-tables', table, 'builds', job, 'hash_table.cfg'));
    write(join(work, 'dragen-hash-tables', 'machines', 'pool', 'i-1'));
    write(join(work, 'dragen-hash-tables', 'theirs', 'x'));
    const tables = [`hash table of DRAGEN dragen-hash-tables/${table}`];
    const left = [job, `${job}.log`, `${job}.ssm`].map(
      (name) => `what jobs read and left ${work.split('/').at(-1) ?? ''}/${name}`,
    );
    expect((await list({ work })).sort()).toEqual([...tables, ...left].sort());
    // Tables alone, where runs have their output in S3.
    expect(await list({ dragen: { hashTable: `${work}/dragen-hash-tables/` } })).toEqual(tables);
    expect(await list({})).toEqual([]);
  });

  it('leaves what is not ours: a repository and a key of other names and tags, a key that goes already', async () => {
    const services = (changes: Partial<AwsHoldings>): AccountServices => ({
      ...{ settings: settings(), files },
      holdings: account({ repository: async () => ({ name: 'x', ours: false, images: [] }), ...changes }),
    });
    const kinds = async (changes: Partial<AwsHoldings>) => {
      const { holdings } = await infrastructure(
        services(changes),
        { alive: nothing, end: end([]), keyDays: 7 },
        signal,
      );
      return holdings.map(({ kind }) => kind);
    };
    expect(await kinds({ key: async (id) => ({ id, ours: false }) })).toEqual([]);
    expect(await kinds({ key: async (id) => ({ id, ours: true, deletedAt: '2027-01-01' }) })).toEqual([]);
    expect(await kinds({ key: async () => undefined })).toEqual([]);
    expect(await kinds({})).toEqual(['encryption key']);
  });

  it('refuses while work of running workflows is alive, or when that cannot be told', async () => {
    const refused = (alive: SweepResult) =>
      failureOf(
        infrastructure(
          { settings: settings(), holdings: account(), files },
          { alive, end: end([]), keyDays: 7 },
          signal,
        ),
      );
    expect(await refused({ ...nothing, alive: 1, belongs: 1 })).toMatchObject({ code: 'InvalidInput' });
    expect(await refused({ ...nothing, alive: 1, found: [work('x', 'unanswered')] })).toMatchObject({
      code: 'InvalidInput',
    });
    const unasked = [{ executor: 'dragen', message: 'no answer' }] as const;
    expect((await refused({ ...nothing, unasked })).message).toContain('no answer');
  });
});
