import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { LocalFiles } from '../../../src/adapters/local/files.js';
import { featureGroups } from '../../../src/app/clean-features.js';
import type { AccountServices, Demolition } from '../../../src/app/clean-account.js';
import { removeAll } from '../../../src/app/clean.js';
import type { AwsSettings } from '../../../src/config/aws-settings.js';
import { isStoreGroup, isStoreGroupOf, storeGroupName } from '../../../src/domain/feature-table/store-form.js';
import type { AwsHoldings, HeldGroup } from '../../../src/ports/aws-holdings.js';
import { temporaryFolder } from '../../support/run-step.js';

const files = new LocalFiles();
const { signal } = new AbortController();

const DIGEST = 'a'.repeat(12);
const IMAGING = storeGroupName('cohortflow', 'imaging', DIGEST);
const POINTER = storeGroupName('cohortflow', 'imaging-pointer', DIGEST);
const FORMER = storeGroupName('former', 'clinical', DIGEST);
const OURS = `${'1'.repeat(32)}.parquet`;
const OTHERS = `${'2'.repeat(32)}.parquet`;

function write(path: string, text = '123'): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** An account with these groups; what was taken down is remembered. */
class Account {
  readonly down: string[] = [];
  readonly holdings: AwsHoldings;

  constructor(groups: Readonly<Record<string, Partial<HeldGroup>>>) {
    this.holdings = {
      groupNames: async (prefix) => Object.keys(groups).filter((name) => isStoreGroupOf(prefix, name)),
      group: async (name, prefix) => {
        const ours = prefix === undefined ? isStoreGroup(name) : isStoreGroupOf(prefix, name);
        return groups[name] === undefined ? undefined : { name, ours, ...groups[name] };
      },
      removeGroup: async (name) => void this.down.push(name),
    } as Partial<AwsHoldings> as AwsHoldings;
  }

  clean(output?: string, settings: AwsSettings = {}): Promise<Demolition> {
    const services: AccountServices = { settings, holdings: this.holdings, files };
    return featureGroups(output, services, signal);
  }
}

const names = ({ holdings }: Demolition): string[] => holdings.map(({ what }) => what);
const removed = (found: Demolition): string[] => found.files.flatMap(({ remove }) => remove);

describe('removing feature groups', () => {
  let output: string;
  let work: string;

  beforeEach(() => {
    output = temporaryFolder('clean-features');
    work = temporaryFolder('clean-work');
  });

  /** Notes that the output's records went to a group, as a sending does before the first of them. */
  const sent = (name: string, pointsTo?: string, at = 1): string =>
    write(
      join(output, `run/ingest/sent/imaging/${name}.${at}.json`),
      JSON.stringify({ name, ...(pointsTo === undefined ? {} : { pointsTo }) }),
    );

  it('takes those that an output was sent to, with their offline records, and says what stays', async () => {
    const store = temporaryFolder('clean-store');
    write(join(store, 'group-1', 'data', 'a.parquet'));
    write(join(output, 'run/ingest/imaging.json'), JSON.stringify({ featureGroups: [{ name: IMAGING }] }));
    write(join(output, 'run/ingest/.imaging-x/000.json'), '{}');
    const account = new Account({ [IMAGING]: { records: join(store, 'group-1'), table: 'db.t' }, [FORMER]: {} });
    const found = await account.clean(output);
    expect(found.holdings.map(({ what, note }) => `${what}: ${note ?? ''}`)).toEqual([
      `${IMAGING}: with the records of every run that was sent to it; its table db.t stays in the catalogue`,
    ]);
    expect(found.files).toMatchObject([
      { kind: 'records of a feature group', path: join(store, 'group-1'), files: 1, bytes: 3 },
    ]);
    expect(account.down).toEqual([]);
    for (const { remove } of found.holdings) await remove(signal);
    expect(account.down).toEqual([IMAGING]);
  });

  it('takes all of our prefix where no output is named, and none that is gone meanwhile', async () => {
    const account = new Account({ [IMAGING]: {}, [FORMER]: {} });
    expect(names(await account.clean())).toEqual([IMAGING]);
    expect(names(await account.clean(undefined, { features: { prefix: 'former' } }))).toEqual([FORMER]);
    const gone = new Account({});
    const { holdings } = gone;
    const services = { settings: {}, holdings: { ...holdings, groupNames: async () => [IMAGING] }, files };
    expect(await featureGroups(undefined, services, signal)).toEqual({ holdings: [], files: [] });
  });

  it('goes by what the run itself noted, whatever prefix the settings have since', async () => {
    for (const name of [FORMER, 'theirs', 'theirs-imaging-v2', `-imaging-${DIGEST}`]) sent(name);
    const account = new Account({ [FORMER]: {}, [IMAGING]: {}, theirs: {}, 'theirs-imaging-v2': {} });
    for (const settings of [{}, { features: { prefix: 'later' } }]) {
      expect(names(await account.clean(output, settings))).toEqual([FORMER]);
    }
  });

  it('finds nothing in an output that was never sent to a store', async () => {
    const account = new Account({ [IMAGING]: {} });
    expect(await account.clean(temporaryFolder('clean-none'))).toEqual({ holdings: [], files: [] });
  });

  describe('whose records point to files', () => {
    const place = (name: string, group = POINTER): string => join(work, 'features', group, name);

    beforeEach(() => {
      for (const name of [OURS, OTHERS, 'notes.parquet']) write(place(name));
      write(place(OURS, IMAGING));
    });

    it('takes the files of all runs with the group, and nothing beside them', async () => {
      const account = new Account({ [POINTER]: {} });
      sent(POINTER, place(OURS));
      for (const found of [await account.clean(output, { work }), await account.clean(undefined, { work })]) {
        expect(names(found)).toEqual([POINTER]);
        expect(found.files).toMatchObject([
          { kind: 'files that a feature group points to', path: join(work, 'features', POINTER), files: 2, bytes: 6 },
        ]);
        expect(removed(found)).toEqual([place(OURS), place(OTHERS)]);
      }
      await removeAll(files, (await account.clean(output, { work })).files);
      expect([OURS, OTHERS, 'notes.parquet'].map((name) => existsSync(place(name)))).toEqual([false, false, true]);
      expect((await account.clean(output, { work })).files).toEqual([]);
    });

    it('finds them where they were put, though the place of work is another since', async () => {
      sent(POINTER, place(OURS));
      const account = new Account({ [POINTER]: {} });
      const elsewhere = temporaryFolder('clean-later');
      for (const settings of [{}, { work: elsewhere }]) {
        expect(removed(await account.clean(output, settings))).toEqual([place(OURS), place(OTHERS)]);
      }
    });

    it('takes of a group that is gone those of the output', async () => {
      sent(POINTER, place(OURS));
      sent(POINTER, place(`${'3'.repeat(32)}.parquet`), 2);
      const found = await new Account({}).clean(output, { work });
      expect(found.holdings).toEqual([]);
      expect(removed(found)).toEqual([place(OURS)]);
    });

    it('takes no file that a record names and we do not', async () => {
      const precious = [
        write(join(work, 'precious.parquet')),
        place('notes.parquet'),
        place(OURS, IMAGING),
        write(join(work, `x${POINTER}`, OURS)),
      ];
      precious.forEach((path, at) => sent(POINTER, path, at));
      expect(removed(await new Account({}).clean(output, { work }))).toEqual([]);
      expect(removed(await new Account({ [POINTER]: {} }).clean(output, {}))).toEqual([]);
    });
  });
});
