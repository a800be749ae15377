import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
