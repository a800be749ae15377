import { PutBucketAclCommand, PutObjectAclCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { S3Files } from '../../src/adapters/aws/s3-files.js';
import { locationOf } from '../../src/adapters/aws/s3-location.js';
import { FaultyS3, type S3Call } from '../support/faulty-s3.js';
import { motoProgram } from '../support/moto-server.js';
import { startS3Server, type S3Server } from '../support/s3-server.js';

const able = motoProgram() !== undefined && process.env['COHORTFLOW_TEST_S3'] === undefined;
const MB = 2 ** 20;
const KEY = 'arn:aws:kms:eu-central-1:123456789012:key/0f3c';

/** What the settings say is in the requests: nobody else would notice where it is not. */
describe.skipIf(!able)('requests to S3', () => {
  let server: S3Server;
  let s3: FaultyS3;
  let place: string;
  let bucket: string;

  beforeAll(async () => {
    server = await startS3Server();
    s3 = await FaultyS3.start(server.endpoint);
    process.env['AWS_ENDPOINT_URL'] = s3.endpoint;
  }, 120_000);

  beforeEach(() => {
    s3.reset();
    place = server.place();
    ({ bucket } = locationOf(place));
  });

  afterAll(async () => {
    await s3?.stop();
    await server?.stop();
  });

  async function* parts(): AsyncIterable<Uint8Array> {
    for (let at = 0; at < 6; at += 1) yield Buffer.alloc(MB, at);
  }

  /** Uses a place in every way there is; returns the calls by operation. */
  async function useAll(files: S3Files): Promise<ReadonlyMap<string, readonly S3Call[]>> {
    await files.write(`${place}/small`, 'content');
    await files.writeOnce(`${place}/once`, 'content');
    await files.writeStream(`${place}/large`, parts(), 6 * MB);
    await files.copy(`${place}/small`, `${place}/copied`);
    await files.copy(`${place}/large`, `${place}/copied-in-parts`);
    await files.read(`${place}/small`);
    await (await files.open(`${place}/large`)).read(10, 10);
    await files.names(place);
    await files.stat(`${place}/small`);
    await files.remove(`${place}/once`);
    return grouped(s3.calls);
  }

  function grouped(calls: readonly S3Call[]): ReadonlyMap<string, readonly S3Call[]> {
    const found = new Map<string, S3Call[]>();
    for (const call of calls) found.set(call.operation, [...(found.get(call.operation) ?? []), call]);
    return found;
  }

  const SMALL = { mostAtOnce: MB, part: 5 * MB, mostCopiedAtOnce: 5 * MB, copyPart: 5 * MB };
  const WRITES = ['PutObject', 'CreateMultipartUpload'];

  it('say how what is written is encrypted and tagged, whichever way it is written', async () => {
    const settings = { kmsKey: KEY, s3: { objectTags: { project: 'lungs + more', owner: 'x' } } };
    const calls = await useAll(new S3Files(settings, SMALL));
    // Small, once and copied; large and copied in parts.
    expect(WRITES.map((operation) => calls.get(operation)?.length)).toEqual([3, 2]);
    for (const { operation, headers } of WRITES.flatMap((operation) => calls.get(operation)!)) {
      expect(headers, operation).toMatchObject({
        'x-amz-server-side-encryption': 'aws:kms',
        'x-amz-server-side-encryption-aws-kms-key-id': KEY,
        'x-amz-tagging': 'project=lungs+%2B+more&owner=x',
      });
      if (headers['x-amz-copy-source'] !== undefined) expect(headers['x-amz-tagging-directive']).toBe('REPLACE');
    }
    expect(calls.get('UploadPart')!.filter(({ headers }) => 'x-amz-copy-source' in headers)).toHaveLength(2);
  }, 120_000);

  it('leave encryption and tags to the bucket where the settings say nothing', async () => {
    const calls = await useAll(new S3Files({}, SMALL));
    for (const { headers } of WRITES.flatMap((operation) => calls.get(operation)!)) {
      const said = Object.keys(headers).filter((name) => /server-side-encryption|tagging|request-payer/.test(name));
      expect(said).toEqual([]);
    }
  }, 120_000);

  it('say in every call that the requester pays, where a bucket wants that', async () => {
    const calls = await useAll(new S3Files({ s3: { requesterPays: [bucket] } }, SMALL));
    expect([...calls.keys()].sort()).toEqual([
      'CompleteMultipartUpload',
      'CreateMultipartUpload',
      'DeleteObjects',
      'GetObject',
      'HeadObject',
      'ListObjectsV2',
      'PutObject',
      'UploadPart',
    ]);
    const silent = s3.calls.filter(({ headers }) => headers['x-amz-request-payer'] !== 'requester');
    expect(silent.map(({ operation }) => operation)).toEqual([]);
  }, 120_000);

  it('are not signed for a bucket that is read anonymously, and are for others', async () => {
    await new S3Files({}).write(`${place}/a`, 'content');
    expect(s3.calls.every(({ headers }) => headers.authorization !== undefined)).toBe(true);
    const owner = new S3Client({ forcePathStyle: true, endpoint: server.endpoint });
    await owner.send(new PutBucketAclCommand({ Bucket: bucket, ACL: 'public-read' }));
    const { key } = locationOf(`${place}/a`);
    await owner.send(new PutObjectAclCommand({ Bucket: bucket, Key: key, ACL: 'public-read' }));
    owner.destroy();
    s3.reset();
    const files = new S3Files({ s3: { anonymous: [bucket] } });
    expect(await files.readText(`${place}/a`)).toBe('content');
    expect(await files.names(place)).toEqual(['a']);
    expect((await (await files.open(`${place}/a`)).read(0, 3)).length).toBe(3);
    expect(s3.calls.length).toBeGreaterThan(3);
    expect(s3.calls.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  }, 120_000);
});
