import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AwsHoldingsReader } from '../../src/adapters/aws/account/holdings.js';
import { AthenaQueries } from '../../src/adapters/aws/athena-queries.js';
import { SageMakerFeatureStore } from '../../src/adapters/aws/sagemaker-feature-store.js';
import { LocalFiles } from '../../src/adapters/local/files.js';
import { latestSql, tableSource, visibleSql } from '../../src/domain/feature-table/latest-sql.js';
import type { FeatureGroupSpec, StoreRecord } from '../../src/ports/feature-store.js';
import { ACCOUNT_NAME, hasSettings, inStandInOnly, REAL_ACCOUNT, TEST_RUN } from '../support/aws/real-account.js';
import { hasAccount, openAccount, patience, until, type TestAccount } from '../support/aws/test-account.js';
import { FeatureStoreServer, ServiceFault } from '../support/feature-store-server.js';

const VARIABLES = ['SAGEMAKER', 'SAGEMAKER_FEATURESTORE_RUNTIME', 'ATHENA'].map((name) => `AWS_ENDPOINT_URL_${name}`);
const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'eu-central-1' };
const { signal } = new AbortController();
const noPause = async (): Promise<void> => undefined;

const SPEC: FeatureGroupSpec = {
  name: 'p-imaging-0123456789ab',
  recordIdentifier: 'Case_ID',
  eventTimeName: 'timestamp',
  definitions: [
    { name: 'Case_ID', type: 'String' },
    { name: 'f', type: 'Fractional' },
    { name: 'n', type: 'Integral' },
    { name: 'timestamp', type: 'String' },
  ],
};

const record = (id: string, f = '0.5'): StoreRecord => ({
  id,
  values: [
    ['Case_ID', id],
    ['f', f],
    ['timestamp', '2026-03-04T05:06:07Z'],
  ],
});
const records = (count: number): StoreRecord[] => Array.from({ length: count }, (_, at) => record(`C-${at}`));

const { offlineStore, roleArn } = REAL_ACCOUNT?.features ?? {};
const able = hasAccount() && hasSettings('Feature Store', offlineStore, roleArn);

describe.skipIf(!able)(`a feature group from its making to its removal (${ACCOUNT_NAME})`, () => {
  const spec: FeatureGroupSpec = { ...SPEC, name: `${TEST_RUN}-whole` };
  const at = (day: number): string => `2026-03-0${day}T05:06:07Z`;
  const one = (id: string, f: string, time: string): StoreRecord => ({
    id,
    values: [
      ['Case_ID', id],
      ['f', f],
      ['timestamp', time],
    ],
  });
  let account: TestAccount;
  let holdings: AwsHoldingsReader;
  let store: SageMakerFeatureStore;

  beforeAll(async () => {
    account = await openAccount();
    // The stand-in's offline store lags by seconds, a real one by up to a quarter of an hour.
    account.alone?.features.store.lagsFor(1_500);
    holdings = new AwsHoldingsReader(account.settings);
    store = new SageMakerFeatureStore(account.settings);
  }, 120_000);

  afterAll(async () => {
    const held = await holdings?.group(spec.name, TEST_RUN, signal);
    await holdings?.removeGroup(spec.name, signal);
    if (held?.records !== undefined) await account.files.remove(held.records);
    await account?.close();
  }, patience(10));

  it(
    'is made once, takes records and refuses others, shows the latest of each, and nothing of what was deleted',
    async () => {
      const made = await Promise.all(
        [0, 1, 2].map(() => new SageMakerFeatureStore(account.settings).ensure(spec, signal)),
      );
      expect(new Set(made.map(({ table }) => `${table.database}.${table.table}`)).size).toBe(1);
      const { table } = await store.ensure(spec, signal);
      const [first] = made;
      const secret = 'seventy-seven';
      const sent = [one('A', '0.5', at(4)), one('B', secret, at(4)), one('C', '1.5', at(4)), one('D', '2.5', at(4))];
      const refused = await store.write(spec, sent, signal);
      expect(refused.map(({ id }) => id)).toEqual(['B']);
      expect(JSON.stringify(refused)).not.toContain(secret);
      expect(await store.write(spec, [one('C', '9', at(5))], signal)).toEqual([]);
      await store.remove(spec.name, 'D', at(6), signal);

      const rows = async (sql: string): Promise<(readonly (string | null)[])[]> => {
        const all: (readonly (string | null)[])[] = [];
        for await (const row of new AthenaQueries(account.settings, account.files).rows(sql, { signal })) all.push(row);
        return all;
      };
      const source = { source: tableSource(table), identifier: 'Case_ID', eventTime: 'timestamp' };
      const seen = (since: string) => rows(visibleSql({ ...source, columns: [] }, since));
      const before = Date.now();
      await until(
        () => seen(at(6)),
        (found) => found.length === 1,
      );
      await until(
        () => seen(at(5)),
        (found) => found.length === 2,
      );
      await until(
        () => seen(at(4)),
        (found) => found.length === 3,
      );
      // In the stand-in it is known that nobody saw them at once.
      if (account.alone !== undefined) expect(Date.now() - before).toBeGreaterThan(500);
      const latest = await rows(`${latestSql({ ...source, columns: ['Case_ID', 'f'] })} ORDER BY 1`);
      expect(latest.map(([id, f]) => [id, Number(f)])).toEqual([
        ['A', 0.5],
        ['C', 9],
      ]);
      const then = await rows(`${latestSql({ ...source, columns: ['Case_ID', 'f'], asOf: at(4) })} ORDER BY 1`);
      expect(then.map(([id, f]) => [id, Number(f)])).toEqual([
        ['A', 0.5],
        ['C', 1.5],
        ['D', 2.5],
      ]);

      expect(await store.made(spec.name, signal)).toBe(first!.made);
      await holdings.removeGroup(spec.name, signal);
      await until(
        () => store.made(spec.name, signal),
        (at) => at === undefined,
      );
    },
    patience(60),
  );
});

inStandInOnly('what the service does to records and queries now and then', () => {
  let server: FeatureStoreServer;
  let before: NodeJS.ProcessEnv;

  beforeEach(async () => {
    server = new FeatureStoreServer();
    const endpoint = await server.start();
    before = { ...process.env };
    Object.assign(process.env, CREDENTIALS, Object.fromEntries(VARIABLES.map((name) => [name, endpoint])));
  });
  afterEach(async () => {
    process.env = before;
    await server.stop();
  });

  const settings = {
    features: { offlineStore: 's3://bucket/store', roleArn: 'arn:aws:iam::123456789012:role/store' },
    kmsKey: 'alias/store',
    tags: { project: 'x' },
  } as const;
  const featureStore = (): SageMakerFeatureStore => new SageMakerFeatureStore(settings, noPause);
  const ids = (): string[] =>
    (server.store.written.get(SPEC.name) ?? []).map(({ values }) => values.get('Case_ID') ?? '');

  describe('feature groups of SageMaker', () => {
    it('are made once, offline only, encrypted and tagged, and waited for', async () => {
      const { table } = await featureStore().ensure(SPEC, signal);
      expect(table).toEqual({ database: 'sagemaker_featurestore', table: 'p_imaging_0123456789ab' });
      await featureStore().ensure(SPEC, signal);
      expect(server.calls.get('CreateFeatureGroup')).toBe(1);
      const { request } = server.requests.find(({ action }) => action === 'CreateFeatureGroup')!;
      expect(request).not.toHaveProperty('OnlineStoreConfig');
      expect(request).toMatchObject({
        OfflineStoreConfig: { S3StorageConfig: { S3Uri: 's3://bucket/store', KmsKeyId: 'alias/store' } },
        RoleArn: 'arn:aws:iam::123456789012:role/store',
        Tags: expect.arrayContaining([{ Key: 'project', Value: 'x' }]) as unknown,
      });
    });

    it('are one, whoever makes them at the same time, and though the answer was lost', async () => {
      server.faultOf = (action, call) => (action === 'CreateFeatureGroup' && call === 1 ? 'lose' : undefined);
      const made = await Promise.all(Array.from({ length: 5 }, () => featureStore().ensure(SPEC, signal)));
      expect(new Set(made.map(({ table }) => table.table)).size).toBe(1);
      expect(server.store.groups.size).toBe(1);
    });

    it('are others when they were made anew under the same name', async () => {
      const first = await featureStore().ensure(SPEC, signal);
      expect((await featureStore().ensure(SPEC, signal)).made).toBe(first.made);
      expect(await featureStore().made(SPEC.name, signal)).toBe(first.made);
      server.store.groups.clear();
      expect(await featureStore().made(SPEC.name, signal)).toBeUndefined();
      const anew = await featureStore().ensure(SPEC, signal);
      expect(anew.made).not.toBe(first.made);
    });

    it('have Iceberg tables and an online store where the settings say so', async () => {
      const features = { ...settings.features, tableFormat: 'Iceberg', online: true } as const;
      await new SageMakerFeatureStore({ ...settings, features }, noPause).ensure(SPEC, signal);
      expect(server.requests.find(({ action }) => action === 'CreateFeatureGroup')?.request).toMatchObject({
        OfflineStoreConfig: { TableFormat: 'Iceberg' },
        OnlineStoreConfig: { EnableOnlineStore: true, SecurityConfig: { KmsKeyId: 'alias/store' } },
      });
    });

    it.each([
      ['aws.features.online (it is offline)', { features: { ...settings.features, online: true } }],
      [
        'aws.features.tableFormat (it has Glue)',
        { features: { ...settings.features, tableFormat: 'Iceberg' as const } },
      ],
      ['aws.features.offlineStore', { features: { ...settings.features, offlineStore: 's3://bucket/another' } }],
      ['aws.kmsKey', { kmsKey: 'alias/another' }],
    ])('keep their settings, and it is said that they differ: %s', async (setting, changed) => {
      await featureStore().ensure(SPEC, signal);
      const store = new SageMakerFeatureStore({ ...settings, ...changed }, noPause);
      await expect(store.ensure(SPEC, signal)).rejects.toMatchObject({
        code: 'FeatureGroupMismatch',
        message: expect.stringContaining(`other settings, and keeps them: ${setting};`) as unknown,
      });
      // A slash more, or the key by its id where the group has an alias, is no other setting.
      const features = { ...settings.features, offlineStore: 's3://bucket/store/', online: false };
      await new SageMakerFeatureStore({ features, kmsKey: '0f3c' }, noPause).ensure(SPEC, signal);
    });

    it('do not take columns that would hide partitions, but with Iceberg', async () => {
      const dated = { ...SPEC, definitions: [...SPEC.definitions, { name: 'Year', type: 'Integral' as const }] };
      await expect(featureStore().ensure(dated, signal)).rejects.toMatchObject({ code: 'FeatureNameReserved' });
      expect(server.store.groups.size).toBe(0);
      const features = { ...settings.features, tableFormat: 'Iceberg' } as const;
      await new SageMakerFeatureStore({ ...settings, features }, noPause).ensure(dated, signal);
    });

    it('are made four at once, and others wait', async () => {
      server.looksNeeded = 1;
      const names = Array.from({ length: 7 }, (_, at) => `p-imaging-${at}`);
      await Promise.all(names.map((name) => featureStore().ensure({ ...SPEC, name }, signal)));
      expect(server.store.groups.size).toBe(7);
    });

    it('that are being removed are waited for, and then made anew', async () => {
      await featureStore().ensure(SPEC, signal);
      server.groupStatus = 'Deleting';
      const since = server.calls.get('DescribeFeatureGroup') ?? 0;
      server.faultOf = (action, call) => {
        // Gone before the third look.
        if (action === 'DescribeFeatureGroup' && call === since + 3) {
          server.groupStatus = 'Created';
          server.store.groups.delete(SPEC.name);
        }
        return undefined;
      };
      await expect(featureStore().ensure(SPEC, signal)).resolves.toMatchObject({ name: SPEC.name });
      expect(server.calls.get('CreateFeatureGroup')).toBe(2);
      server.faultOf = () => undefined;
      server.groupStatus = 'Deleting';
      await expect(featureStore().ensure(SPEC, signal)).rejects.toMatchObject({ code: 'AwsUnavailable' });
    });

    it('that could not be made, take no records or are another’s are told with the reason, account left out', async () => {
      server.groupStatus = 'CreateFailed';
      await expect(featureStore().ensure(SPEC, signal)).rejects.toMatchObject({
        code: 'FeatureGroupFailed',
        message: expect.stringMatching(
          /CreateFailed: the role arn:aws:iam::…:role\/x may not write; .*delete-feature-group --feature-group-name \S/,
        ) as unknown,
      });
      server.groupStatus = 'Created';
      server.offlineStatus = 'Blocked';
      await expect(featureStore().ensure(SPEC, signal)).rejects.toMatchObject({
        code: 'FeatureGroupFailed',
        message: expect.stringContaining('the key is disabled') as unknown,
      });
      server.offlineStatus = 'Active';
      const other = { ...SPEC, definitions: SPEC.definitions.map((one) => ({ ...one, type: 'String' as const })) };
      await expect(featureStore().ensure(other, signal)).rejects.toMatchObject({
        code: 'FeatureGroupMismatch',
        message: expect.stringContaining('f, n') as unknown,
      });
      await expect(new SageMakerFeatureStore({}, noPause).ensure({ ...SPEC, name: 'x' }, signal)).rejects.toMatchObject(
        {
          code: 'AwsNotConfigured',
        },
      );
    });
  });

  describe('records of SageMaker Feature Store', () => {
    beforeEach(async () => {
      await featureStore().ensure(SPEC, signal);
    });

    it('go in batches; what is put off or throttled is sent again until it is there', async () => {
      server.entryFault = (id, call) => {
        if (id === 'C-3' && call < 3) return 'unprocessed';
        if (id === 'C-5' && call < 4) return { code: 'ThrottlingException', message: 'slow down' };
        return undefined;
      };
      server.faultOf = (action, call) =>
        action === 'BatchWriteRecord' && call === 1
          ? new ServiceFault('ThrottlingException', 'Rate exceeded')
          : undefined;
      expect(await featureStore().write(SPEC, records(25), signal)).toEqual([]);
      expect(ids().sort()).toEqual(
        records(25)
          .map(({ id }) => id)
          .sort(),
      );
      expect(server.calls.get('PutRecord')).toBeUndefined();
    });

    it('that are refused are told without their values, the others are there', async () => {
      const secret = 'seventy-seven';
      const refused = await featureStore().write(SPEC, [record('A'), record('B', secret), record('C')], signal);
      expect(refused).toEqual([{ id: 'B', code: 'ValidationError', message: 'features: f' }]);
      expect(JSON.stringify(refused)).not.toContain(secret);
      expect(ids()).toEqual(['A', 'C']);
    });

    it('are there though answers were lost, some twice', async () => {
      server.faultOf = (action, call) => (action === 'BatchWriteRecord' && call <= 3 ? 'lose' : undefined);
      expect(await featureStore().write(SPEC, records(4), signal)).toEqual([]);
      expect(new Set(ids())).toEqual(new Set(['C-0', 'C-1', 'C-2', 'C-3']));
      expect(ids().length).toBeGreaterThan(4);
    });

    it('go one by one where the service has no call for many', async () => {
      server.faultOf = (action, call) => {
        if (action === 'BatchWriteRecord') return new ServiceFault('UnknownOperationException', 'unknown', 404);
        return action === 'PutRecord' && call === 2 ? new ServiceFault('ServiceUnavailable', 'later', 503) : undefined;
      };
      const store = featureStore();
      expect(await store.write(SPEC, records(9), signal)).toEqual([]);
      expect(await store.write(SPEC, [record('Z', 'no number')], signal)).toEqual([
        { id: 'Z', code: 'ValidationError', message: 'features: f' },
      ]);
      expect(ids().length).toBe(9);
      expect(server.calls.get('BatchWriteRecord')).toBe(1);
    });

    it('of a group that is not known everywhere yet are sent again', async () => {
      server.faultOf = (action, call) =>
        action === 'BatchWriteRecord' && call <= 3
          ? new ServiceFault('ValidationError', "We can't find a FeatureGroup of this name")
          : undefined;
      expect(await featureStore().write(SPEC, records(2), signal)).toEqual([]);
      expect(ids()).toEqual(['C-0', 'C-1']);
    });

    it('fail with the kind of fault when it goes on', async () => {
      server.faultOf = (action) =>
        action === 'BatchWriteRecord' ? new ServiceFault('ThrottlingException', 'Rate exceeded') : undefined;
      await expect(featureStore().write(SPEC, records(1), signal)).rejects.toMatchObject({ code: 'AwsThrottled' });
      server.faultOf = () => new ServiceFault('AccessForbidden', 'no', 403);
      await expect(featureStore().write(SPEC, records(1), signal)).rejects.toMatchObject({ code: 'AwsDenied' });
    });

    it('are deleted by a record of their own', async () => {
      await featureStore().write(SPEC, [record('A')], signal);
      await featureStore().remove(SPEC.name, 'A', '2026-04-01T00:00:00Z', signal);
      expect(server.store.written.get(SPEC.name)?.map(({ deleted }) => deleted)).toEqual([false, true]);
    });
  });

  describe('queries by Athena', () => {
    const ask = async (sql: string, aborted = signal): Promise<(readonly (string | null)[])[]> => {
      const rows: (readonly (string | null)[])[] = [];
      for await (const row of new AthenaQueries(settings, new LocalFiles(), noPause).rows(sql, { signal: aborted })) {
        rows.push(row);
      }
      return rows;
    };
    const SQL = `SELECT * FROM (VALUES ('a', 1.5e0), ('b "c", d', NULL), ('e', 2e0)) AS t(x, y) ORDER BY x`;
    const ROWS = [
      ['a', '1.5'],
      ['b "c", d', null],
      ['e', '2.0'],
    ];

    it.each(['file', 'pages'] as const)('are read whole from the %s of results', async (results) => {
      server.results = results;
      expect(await ask(SQL)).toEqual(ROWS);
    });

    it('are one query though the answer to the start was lost, and wait through throttling', async () => {
      server.faultOf = (action, call) => {
        if (action === 'StartQueryExecution' && call <= 3) return 'lose';
        return action === 'GetQueryExecution' && call <= 3
          ? new ServiceFault('ThrottlingException', 'Rate exceeded')
          : undefined;
      };
      expect(await ask(SQL)).toEqual(ROWS);
      expect(server.calls.get('StartQueryExecution')).toBeGreaterThan(1);
      expect(server.executions.size).toBe(1);
    });

    it('that fail say why, and nothing of values', async () => {
      await expect(ask(`SELECT CAST('secret' AS INTEGER)`)).rejects.toMatchObject({
        code: 'QueryFailed',
        message: expect.not.stringContaining('secret') as unknown,
      });
      await expect(ask('SELECT nothing FROM nowhere')).rejects.toMatchObject({ code: 'QueryFailed' });
    });

    it('are stopped when nobody waits any longer', async () => {
      server.looksNeeded = 1_000_000;
      const controller = new AbortController();
      const asked = ask(SQL, controller.signal);
      setTimeout(() => controller.abort(new Error('enough')), 300);
      await expect(asked).rejects.toThrow('enough');
      expect([...server.executions.values()].map(({ state }) => state)).toEqual(['CANCELLED']);
    });
  });
});
