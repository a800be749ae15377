import { PutObjectCommand, RestoreObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3Files } from '../../src/adapters/aws/s3-files.js';
import { locationOf } from '../../src/adapters/aws/s3-location.js';
import { execute } from '../../src/cli/commands/run.js';
import { failureOf } from '../support/dicom/run-convert.js';
import { motoProgram } from '../support/moto-server.js';
import { startS3Server, type S3Server } from '../support/s3-server.js';

// A real account's buckets are not all known: this needs the server on this machine.
const able = motoProgram() !== undefined && process.env['COHORTFLOW_TEST_S3'] === undefined;

describe.skipIf(!able)('a run whose places are in S3', () => {
  const before = { ...process.env };
  let server: S3Server;

  beforeAll(async () => {
    server = await startS3Server();
    // Whoever starts anything is refused by the name of the server, not by the places.
    process.env['TEMPORAL_ADDRESS'] = '127.0.0.1:1';
    delete process.env['COHORTFLOW_AWS'];
  }, 120_000);

  afterAll(async () => {
    process.env = before;
    await server?.stop();
  });

  it('is refused for studies that jobs could not read, with their rows, before anything is started', async () => {
    const place = server.place();
    const { bucket } = locationOf(place);
    await new S3Files({}).write(`${place}/study/1.dcm`, 'slice');
    const cohort = `${place}/cohort.csv`;
    await new S3Files({}).write(cohort, 'case_id,imaging\nA,study\nB,gone\n');
    const options = {
      cohort,
      output: `${place}/run`,
      imagingExecutor: 'sagemaker',
      worker: true,
      failOn: 'any',
    } as const;
    const missing = await failureOf(execute(options));
    expect(missing).toMatchObject({ code: 'InvalidSheet', message: expect.stringContaining('case B: gone') as string });
    await new S3Files({}).write(cohort, 'case_id,imaging\nA,study\n');
    process.env['COHORTFLOW_AWS'] = JSON.stringify({ s3: { requesterPays: [bucket] } });
    const { code, message } = await failureOf(execute(options));
    delete process.env['COHORTFLOW_AWS'];
    expect(code).toBe('InvalidSheet');
    expect(message).toMatch(/row 2, column imaging: case A: .*--request-payer requester/);
  });

  it('is refused for studies and reads in an archive, until somebody has them restored', async () => {
    const place = server.place();
    const { bucket, key } = locationOf(place);
    const client = new S3Client({ forcePathStyle: true });
    const archived = [`${key}/study/1.dcm`, `${key}/quant.sf`];
    for (const Key of archived) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x', StorageClass: 'GLACIER' }));
    }
    const cohort = `${place}/cohort.csv`;
    await new S3Files({}).write(cohort, 'case_id,imaging,quant\nA,study,quant.sf\n');
    const options = { cohort, output: `${place}/run`, worker: true, failOn: 'any' } as const;
    const { code, message } = await failureOf(execute(options));
    expect(code).toBe('InvalidSheet');
    expect(message).toContain('row 2, column imaging: case A: study lies in an archive (S3 Glacier)');
    expect(message).toContain('row 2, column quant: case A: quant.sf lies in an archive (S3 Glacier)');
    expect(await failureOf(new S3Files({}).read(`${place}/quant.sf`))).toMatchObject({ code: 'ObjectArchived' });
    for (const Key of archived) {
      await client.send(new RestoreObjectCommand({ Bucket: bucket, Key, RestoreRequest: { Days: 1 } }));
    }
    client.destroy();
    for (const path of ['study', 'quant.sf']) {
      expect(await new S3Files({}).stat(`${place}/${path}`)).not.toHaveProperty('archived');
    }
  });

  it('is refused before anything is started, with every place that is not there and its option', async () => {
    const clinical = `${server.place()}/absent.csv`;
    const options = { clinical, output: 's3://no-such-bucket-here/run', worker: true, failOn: 'any' } as const;
    const { code, message } = await failureOf(execute(options));
    expect(code).toBe('AwsNotReady');
    expect(message).toContain('nothing was started');
    expect(message).toContain('Writing --output: s3://no-such-bucket-here/run: there is no such bucket');
    expect(message).toContain(`Reading --clinical: nothing is at ${clinical}`);
  });
});
