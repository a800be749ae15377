import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsAccountReader } from '../../src/adapters/aws/account/account-reader.js';
import { AwsHoldingsReader } from '../../src/adapters/aws/account/holdings.js';
import { SageMakerFeatureStore } from '../../src/adapters/aws/sagemaker-feature-store.js';
import { storeGroupName } from '../../src/domain/feature-table/store-form.js';
import { ACCOUNT_NAME, hasSettings, inStandInOnly, REAL_ACCOUNT, TEST_RUN } from '../support/aws/real-account.js';
import { hasAccount, openAccount, patience, until, type TestAccount } from '../support/aws/test-account.js';
import { failureOf } from '../support/dicom/run-convert.js';
import { ServiceFault } from '../support/feature-store-server.js';

const { signal } = new AbortController();
const named = (prefix: string, table: string): string => storeGroupName(prefix, table, '0123456789abcdef');
const SPACED = `${TEST_RUN} nsclc`;
const [CLINICAL, IMAGING, PART, SPACED_GROUP, LONGER, THEIRS] = [
  named(TEST_RUN, 'clinical'),
  named(TEST_RUN, 'imaging'),
  named(TEST_RUN, 'imaging-part-2'),
  named(SPACED, 'imaging'),
  named(`${TEST_RUN}-b`, 'imaging'),
  named(`their-${TEST_RUN}`, 'imaging'),
] as const;
const NAMES = [CLINICAL, IMAGING, PART, SPACED_GROUP, LONGER, THEIRS];
const { offlineStore, roleArn } = REAL_ACCOUNT?.features ?? {};
const able = hasAccount() && hasSettings('Feature Store', offlineStore, roleArn);

/** What `clean --features` and `doctor` ask of Feature Store, through the real SDK. */
describe.skipIf(!able)(`feature groups that an account holds (${ACCOUNT_NAME})`, () => {
  let account: TestAccount;
  let holdings: AwsHoldingsReader;
  let reader: AwsAccountReader;
  let others: number;

  beforeAll(async () => {
    account = await openAccount();
    holdings = new AwsHoldingsReader(account.settings);
    reader = new AwsAccountReader(account.settings);
    others = await reader.featureGroupCount(signal);
    // Made at once: nobody looks at them meanwhile.
    if (account.alone !== undefined) account.alone.features.looksNeeded = 0;
    const store = new SageMakerFeatureStore(account.settings);
    const columns = { recordIdentifier: 'Case_ID', eventTimeName: 'timestamp' } as const;
    const definitions = ['Case_ID', 'timestamp'].map((name) => ({ name, type: 'String' as const }));
    await Promise.all(NAMES.map((name) => store.ensure({ name, ...columns, definitions }, signal)));
  }, patience(15));

  afterAll(async () => {
    for (const name of NAMES) await holdings?.removeGroup(name, signal);
    await account?.close();
  }, patience(5));

  it('are counted over all pages', async () => {
    expect(await reader.featureGroupCount(signal)).toBe(others + NAMES.length);
  });

  it('are listed as they were named: not those of an installation whose name begins alike', async () => {
    expect(await holdings.groupNames(TEST_RUN, signal)).toEqual([CLINICAL, IMAGING, PART]);
    expect(await holdings.groupNames(`${TEST_RUN}-b`, signal)).toEqual([LONGER]);
  });

  it('are found under a prefix that names of the store cannot have', async () => {
    expect(await holdings.groupNames(SPACED, signal)).toEqual([SPACED_GROUP]);
    expect(await holdings.group(SPACED_GROUP, SPACED, signal)).toMatchObject({ ours: true });
  });

  it('tell where their records lie and which table stays', async () => {
    const place = (account.settings.features?.offlineStore ?? '').replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    expect(await holdings.group(IMAGING, TEST_RUN, signal)).toEqual({
      name: IMAGING,
      ours: true,
      records: expect.stringMatching(
        new RegExp(`^${place}/\\d{12}/sagemaker/[a-z0-9-]+/offline-store/${IMAGING}-\\d+$`),
      ) as string,
      table: expect.stringMatching(
        new RegExp(`^sagemaker_featurestore\\.${IMAGING.replaceAll('-', '_')}(_\\d+)?$`),
      ) as string,
    });
    expect(await holdings.group(THEIRS, TEST_RUN, signal)).toMatchObject({ ours: false });
    expect(await holdings.group(LONGER, TEST_RUN, signal)).toMatchObject({ ours: false });
    // Whatever its prefix: for whoever knows from elsewhere that the group is theirs to remove.
    expect(await holdings.group(LONGER, undefined, signal)).toMatchObject({ ours: true });
    expect(await holdings.group(`${TEST_RUN}-gone`, TEST_RUN, signal)).toBeUndefined();
  });

  it(
    'are removed; one that is gone already is no fault',
    async () => {
      await holdings.removeGroup(CLINICAL, signal);
      await until(
        () => holdings.group(CLINICAL, TEST_RUN, signal),
        (found) => found === undefined,
      );
      await holdings.removeGroup(CLINICAL, signal);
      expect(await holdings.groupNames(TEST_RUN, signal)).toEqual([IMAGING, PART]);
    },
    patience(5),
  );

  inStandInOnly('when the service refuses', () => {
    it('that may not be removed name the missing action', async () => {
      const { features } = account.alone!;
      features.faultOf = (action) =>
        action === 'DeleteFeatureGroup' ? new ServiceFault('AccessDeniedException', 'not authorized') : undefined;
      expect(await failureOf(holdings.removeGroup(IMAGING, signal))).toMatchObject({
        code: 'AwsDenied',
        message: expect.stringContaining('sagemaker:DeleteFeatureGroup'),
      });
      features.faultOf = () => undefined;
    });
  });
});
