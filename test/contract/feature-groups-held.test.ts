import { CreateFeatureGroupCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsAccountReader } from '../../src/adapters/aws/account/account-reader.js';
import { AwsHoldingsReader } from '../../src/adapters/aws/account/holdings.js';
import { FeatureStoreServer, ServiceFault } from '../support/feature-store-server.js';
import { failureOf } from '../support/dicom/run-convert.js';

const { signal } = new AbortController();
const NAMES = ['cohortflow-a', 'cohortflow-b', 'cohortflow-c', 'cohortflow-d', 'their-cohortflow-e'];

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

  it('are counted over all pages, and listed by how their names begin', async () => {
    expect(await new AwsAccountReader({ region: 'eu-central-1' }).featureGroupCount(signal)).toBe(5);
    expect(await holdings.groupNames('cohortflow', signal)).toEqual(NAMES.slice(0, 4));
  });

  it('tell where their records lie and which table stays', async () => {
    expect(await holdings.group('cohortflow-a', 'cohortflow', signal)).toEqual({
      name: 'cohortflow-a',
      ours: true,
      records: 's3://bucket/store/123456789012/sagemaker/eu-central-1/offline-store/cohortflow-a-1700000000',
      table: 'sagemaker_featurestore.cohortflow_a',
    });
    expect(await holdings.group('their-cohortflow-e', 'cohortflow', signal)).toMatchObject({ ours: false });
    expect(await holdings.group('cohortflow-gone', 'cohortflow', signal)).toBeUndefined();
  });

  it('are removed; one that is gone already is no fault', async () => {
    await holdings.removeGroup('cohortflow-b', signal);
    await holdings.removeGroup('cohortflow-b', signal);
    expect(await holdings.groupNames('cohortflow', signal)).toEqual(['cohortflow-a', 'cohortflow-c', 'cohortflow-d']);
  });

  it('that may not be removed name the missing action', async () => {
    server.faultOf = (action) =>
      action === 'DeleteFeatureGroup' ? new ServiceFault('AccessDeniedException', 'not authorized') : undefined;
    expect(await failureOf(holdings.removeGroup('cohortflow-a', signal))).toMatchObject({
      code: 'AwsDenied',
      message: expect.stringContaining('sagemaker:DeleteFeatureGroup'),
    });
    server.faultOf = () => undefined;
  });
});
