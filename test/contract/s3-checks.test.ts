import { crc32 } from 'node:zlib';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { S3Files } from '../../src/adapters/aws/s3-files.js';
import { locationOf } from '../../src/adapters/aws/s3-location.js';
import { FaultyS3, readWhileReplaced } from '../support/faulty-s3.js';
import { startStrictS3Server, type S3Server } from '../support/s3-server.js';
import { VERSITY_KEYS, versityProgram } from '../support/versity-server.js';

const MB = 2 ** 20;
/** More than one part of an upload. */
const LARGE = 20 * MB;

/** What S3 checks and moto does not: who signed, which version of an object a call means, and every byte that comes. */
describe.skipIf(versityProgram() === undefined)('S3 that checks what it is sent', () => {
  let server: S3Server;
  let s3: FaultyS3;
  let client: S3Client;
  let files: S3Files;
  let place: string;

  beforeAll(async () => {
    server = await startStrictS3Server();
    s3 = await FaultyS3.start(server.endpoint);
    process.env['AWS_ENDPOINT_URL'] = s3.endpoint;
    client = new S3Client({ forcePathStyle: true, endpoint: server.endpoint, credentials: VERSITY_KEYS });
  }, 120_000);

  beforeEach(() => {
    s3.reset();
    files = filesOf();
    place = server.place();
  });

  afterEach((context) => {
    // A fault that never came to pass proves nothing.
    if (context.task.result?.state === 'pass') expect(s3.left).toBe(0);
  });

  afterAll(async () => {
    client?.destroy();
    await s3?.stop();
    await server?.stop();
  });

  /** Files of whoever has these credentials. */
  function filesOf({
    accessKeyId,
    secretAccessKey,
  }: typeof VERSITY_KEYS | Record<string, string> = VERSITY_KEYS): S3Files {
    process.env['AWS_ACCESS_KEY_ID'] = accessKeyId;
    process.env['AWS_SECRET_ACCESS_KEY'] = secretAccessKey;
    return new S3Files({});
  }

  /** No two blocks of it are alike. */
  const bytes = (size: number): Buffer =>
    Buffer.from(Array.from({ length: size / 16 }, (_, at) => String(at).padStart(16)).join(''));

  async function* stream(content: Buffer): AsyncIterable<Uint8Array> {
    for (let at = 0; at < content.length; at += MB) yield content.subarray(at, at + MB);
  }

  const object = (name: string) => {
    const { bucket: Bucket, key } = locationOf(`${place}/${name}`);
    return { Bucket, Key: key };
  };

  async function unfinished(): Promise<number> {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: object('').Bucket }));
    return Uploads.length;
  }

  describe('refuses whoever cannot sign', () => {
    const wrong = { accessKeyId: VERSITY_KEYS.accessKeyId, secretAccessKey: 'what somebody guessed' };

    it.each<[string, (theirs: S3Files) => Promise<unknown>]>([
      ['reading', (theirs) => theirs.read(`${place}/a`)],
      ['writing', (theirs) => theirs.write(`${place}/a`, 'theirs')],
      ['writing once', (theirs) => theirs.writeOnce(`${place}/b`, 'theirs')],
      ['writing in parts', (theirs) => theirs.writeStream(`${place}/a`, stream(bytes(LARGE)), LARGE)],
      ['looking at', (theirs) => theirs.stat(`${place}/a`)],
      ['listing', (theirs) => theirs.names(place)],
      ['copying', (theirs) => theirs.copy(`${place}/a`, `${place}/b`)],
      ['removing', (theirs) => theirs.remove(`${place}/a`)],
    ])('%s, and says that it is the credentials', async (_, act) => {
      await files.write(`${place}/a`, 'ours');
      await expect(act(filesOf(wrong))).rejects.toMatchObject({ code: 'AwsCredentials', retryable: false });
      const again = filesOf();
      expect(await again.names(place)).toEqual(['a']);
      expect(await again.readText(`${place}/a`)).toBe('ours');
    });

    it('and who does not sign at all, which is another fault', async () => {
      await files.write(`${place}/a`, 'ours');
      const { bucket } = locationOf(place);
      const nobody = new S3Files({ s3: { anonymous: [bucket] } });
      await expect(nobody.read(`${place}/a`)).rejects.toMatchObject({ code: 'AwsDenied' });
      await expect(nobody.stat(`${place}/a`)).rejects.toMatchObject({ code: 'AwsDenied' });
    });
  });

  describe('holds to conditions', () => {
    it('writes nothing over an object that is there, whoever else writes at the same time', async () => {
      const others = Array.from({ length: 12 }, (_, at) => filesOf().writeOnce(`${place}/a`, `${at}`));
      const won = (await Promise.all(others)).map((one, at) => (one ? at : -1)).filter((at) => at >= 0);
      expect(won).toHaveLength(1);
      expect(await files.readText(`${place}/a`)).toBe(String(won[0]));
      expect(await files.writeOnce(`${place}/a`, 'late')).toBe(false);
    });

    it('knows its own write again whose answer was lost', async () => {
      s3.next('PutObject', 'lost', 'lost');
      expect(await files.writeOnce(`${place}/a`, 'ours')).toBe(true);
      s3.next('PutObject', 'lost');
      expect(await files.writeOnce(`${place}/a`, 'ours')).toBe(false);
    });

    it('hands out nothing of another version than the one that was opened', async () => {
      await files.write(`${place}/a`, bytes(2 * MB));
      const source = await files.open(`${place}/a`);
      expect((await source.read(0, 16)).length).toBe(16);
      await files.write(`${place}/a`, Buffer.alloc(2 * MB, 'another'));
      await expect(source.read(MB, 16)).rejects.toMatchObject({ code: 'IoError' });
    });

    it('does not go on with a body of another version where one broke off', async () => {
      await files.write(`${place}/a`, bytes(2 * MB));
      s3.next('GetObject', 'cut');
      const other = Buffer.alloc(2 * MB, 'another');
      await expect(readWhileReplaced(files, `${place}/a`, other)).rejects.toMatchObject({ code: 'IoError' });
    });
  });

  describe('compares checksums', () => {
    it('of what is written: what was damaged on its way is sent again', async () => {
      s3.next('PutObject', 'damage', 'damage');
      await files.write(`${place}/a`, 'content');
      expect(await files.readText(`${place}/a`)).toBe('content');
      expect(s3.calls.filter(({ fault }) => fault === 'damage')).toHaveLength(2);
    });

    it('and nothing is stored where it goes on; that is a fault of its own, and passes', async () => {
      s3.next('PutObject', ...Array<'damage'>(5).fill('damage'));
      await expect(files.write(`${place}/a`, 'content')).rejects.toMatchObject({
        code: 'ChecksumMismatch',
        retryable: true,
      });
      expect(await files.stat(`${place}/a`)).toBeUndefined();
    });

    it('of each part of an upload', async () => {
      const content = bytes(LARGE);
      s3.next('UploadPart', 'fine', 'damage');
      await files.writeStream(`${place}/a`, stream(content), LARGE);
      expect(Buffer.from(await files.read(`${place}/a`)).equals(content)).toBe(true);
      s3.faultOf = (operation) => (operation === 'UploadPart' ? 'damage' : undefined);
      const damaged = files.writeStream(`${place}/b`, stream(content), LARGE);
      await expect(damaged).rejects.toMatchObject({ code: 'ChecksumMismatch' });
      s3.reset();
      expect(await unfinished()).toBe(0);
      expect(await files.stat(`${place}/b`)).toBeUndefined();
    }, 120_000);

    it('of a whole object that came in parts, and so does whoever reads it', async () => {
      const content = bytes(LARGE);
      await files.writeStream(`${place}/a`, stream(content), LARGE);
      const head = await client.send(new HeadObjectCommand({ ...object('a'), ChecksumMode: 'ENABLED' }));
      const expected = Buffer.alloc(4);
      expected.writeUInt32BE(crc32(content));
      expect(head).toMatchObject({ ChecksumType: 'FULL_OBJECT', ChecksumCRC32: expected.toString('base64') });
      s3.next('GetObject', 'corrupt');
      await expect(files.read(`${place}/a`)).rejects.toMatchObject({ code: 'ChecksumMismatch', retryable: true });
      expect(await files.sha256(`${place}/a`)).toHaveLength(64);
    }, 120_000);

    it('and takes no upload whose parts are not those that it has', async () => {
      const target = object('a');
      const { UploadId } = await client.send(
        new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' }),
      );
      const part = { ...target, UploadId, PartNumber: 1, Body: 'content' };
      const { ETag } = await client.send(new UploadPartCommand({ ...part, ChecksumAlgorithm: 'CRC32' }));
      const whole = { ...target, UploadId, ChecksumType: 'FULL_OBJECT', ChecksumCRC32: 'AAAAAA==' } as const;
      const parts = { MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } };
      await expect(client.send(new CompleteMultipartUploadCommand({ ...whole, ...parts }))).rejects.toThrow();
      expect(await files.stat(`${place}/a`)).toBeUndefined();
    });
  });
});
