import { CreateFeatureGroupCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsAccountReader } from '../../src/adapters/aws/account/account-reader.js';
import { AwsHoldingsReader } from '../../src/adapters/aws/account/holdings.js';
import { storeGroupName } from '../../src/domain/feature-table/store-form.js';
import { FeatureStoreServer, ServiceFault } from '../support/feature-store-server.js';
import { failureOf } from '../support/dicom/run-convert.js';

const { signal } = new AbortController();
const named = (prefix: string, table: string): string => storeGroupName(prefix, table, '0123456789abcdef');
const SPACED = 'nsclc trial';
const [CLINICAL, IMAGING, PART, SPACED_GROUP, TEST, THEIRS] = [
  named('cohortflow', 'clinical'),
  named('cohortflow', 'imaging'),
  named('cohortflow', 'imaging-part-2'),
  named(SPACED, 'imaging'),
  named('cohortflow-test', 'imaging'),
  named('their-cohortflow', 'imaging'),
] as const;
const NAMES = [CLINICAL, IMAGING, PART, SPACED_GROUP, TEST, THEIRS];

/** What `clean --features` and `doctor` ask of Feature Store, through the real SDK. */
describe('feature groups that an account holds', () => {
  const server = new FeatureStoreServer();
  const before = { ...process.env };
  let holdings: AwsHoldingsReader;

  beforeAll(async () => {
    const endpoint = await server.start();
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_SAGEMAKER: endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    });
    holdings = new AwsHoldingsReader({ region: 'eu-central-1' });
    const client = new SageMakerClient({ region: 'eu-central-1' });
    // Made at once: nobody looks at them meanwhile.
    server.looksNeeded = -1;
    for (const FeatureGroupName of NAMES) {
      await client.send(
        new CreateFeatureGroupCommand({
          FeatureGroupName,
          RecordIdentifierFeatureName: 'Case_ID',
          EventTimeFeatureName: 'timestamp',
          FeatureDefinitions: [
            { FeatureName: 'Case_ID', FeatureType: 'String' },
            { FeatureName: 'timestamp', FeatureType: 'String' },
          ],
        }),
      );
    }
    client.destroy();
  });

  afterAll(async () => {
    process.env = before;
    await server.stop();
  });

  it('are counted over all pages', async () => {
    expect(await new AwsAccountReader({ region: 'eu-central-1' }).featureGroupCount(signal)).toBe(6);
  });

  it('are listed as they were named: not those of an installation whose name begins alike', async () => {
    expect(await holdings.groupNames('cohortflow', signal)).toEqual([CLINICAL, IMAGING, PART]);
    expect(await holdings.groupNames('cohortflow-test', signal)).toEqual([TEST]);
  });

  it('are found under a prefix that names of the store cannot have', async () => {
    expect(await holdings.groupNames(SPACED, signal)).toEqual([SPACED_GROUP]);
    expect(await holdings.group(SPACED_GROUP, SPACED, signal)).toMatchObject({ ours: true });
  });

  it('tell where their records lie and which table stays', async () => {
    expect(await holdings.group(IMAGING, 'cohortflow', signal)).toEqual({
      name: IMAGING,
      ours: true,
      records: `s3://bucket/store/123456789012/sagemaker/eu-central-1/offline-store/${IMAGING}-1700000000`,
      table: `sagemaker_featurestore.${IMAGING.replaceAll('-', '_')}`,
    });
    expect(await holdings.group(THEIRS, 'cohortflow', signal)).toMatchObject({ ours: false });
    expect(await holdings.group(TEST, 'cohortflow', signal)).toMatchObject({ ours: false });
    expect(await holdings.group('cohortflow-gone', 'cohortflow', signal)).toBeUndefined();
  });

  it('are removed; one that is gone already is no fault', async () => {
    await holdings.removeGroup(CLINICAL, signal);
    await holdings.removeGroup(CLINICAL, signal);
    expect(await holdings.groupNames('cohortflow', signal)).toEqual([IMAGING, PART]);
  });

  it('that may not be removed name the missing action', async () => {
    server.faultOf = (action) =>
      action === 'DeleteFeatureGroup' ? new ServiceFault('AccessDeniedException', 'not authorized') : undefined;
    expect(await failureOf(holdings.removeGroup(IMAGING, signal))).toMatchObject({
      code: 'AwsDenied',
      message: expect.stringContaining('sagemaker:DeleteFeatureGroup'),
    });
    server.faultOf = () => undefined;
  });
});
