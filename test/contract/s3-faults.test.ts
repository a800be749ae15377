import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { S3Files } from '../../src/adapters/aws/s3-files.js';
import { locationOf } from '../../src/adapters/aws/s3-location.js';
import { FaultyS3, readWhileReplaced } from '../support/faulty-s3.js';
import { motoProgram } from '../support/moto-server.js';
import { isRealS3, startS3Server, type S3Server } from '../support/s3-server.js';

// A real account's S3 cannot be told to fail: this needs the server on this machine.
const able = !isRealS3 && motoProgram() !== undefined;
const MB = 2 ** 20;
/** More than one part of an upload. */
const LARGE = 40 * MB;

describe.skipIf(!able)('S3 that fails', () => {
  let server: S3Server;
  let s3: FaultyS3;
  let files: S3Files;
  let place: string;

  beforeAll(async () => {
    server = await startS3Server();
    s3 = await FaultyS3.start(server.endpoint);
    process.env['AWS_ENDPOINT_URL'] = s3.endpoint;
  }, 120_000);

  beforeEach(() => {
    s3.reset();
    files = new S3Files({});
    place = server.place();
  });

  afterEach((context) => {
    // A fault that never came to pass proves nothing.
    if (context.task.result?.state === 'pass') expect(s3.left).toBe(0);
  });

  afterAll(async () => {
    await s3?.stop();
    await server?.stop();
  });

  const bytes = (size: number): Buffer => Buffer.alloc(size, 'a volume, slice by slice, ');

  async function* stream(size: number, onChunk: (at: number) => void = () => undefined): AsyncIterable<Uint8Array> {
    for (let at = 0; at < size; at += MB) {
      onChunk(at);
      yield bytes(Math.min(MB, size - at));
    }
  }

  /** Uploads that were begun and neither completed nor taken back: they cost money and nobody sees them. */
  async function unfinished(): Promise<number> {
    const client = new S3Client({ forcePathStyle: true, endpoint: server.endpoint });
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: locationOf(place).bucket }));
    client.destroy();
    return Uploads.length;
  }

  const count = (operation: string): number => s3.calls.filter((call) => call.operation === operation).length;

  it('is asked again when it asks to slow down, and when a connection is dropped', async () => {
    s3.next('PutObject', 'slow-down', 'drop', 'internal-error');
    await files.write(`${place}/a`, 'content');
    s3.next('GetObject', 'slow-down', 'drop');
    expect(await files.readText(`${place}/a`)).toBe('content');
    s3.next('ListObjectsV2', 'slow-down', 'internal-error');
    expect(await files.names(place)).toEqual(['a']);
    s3.next('HeadObject', 'drop', 'slow-down');
    expect(await files.stat(`${place}/a`)).toMatchObject({ size: 7 });
    s3.next('DeleteObjects', 'slow-down', 'lost');
    await files.remove(`${place}/a`);
    expect(await files.stat(`${place}/a`)).toBeUndefined();
  }, 120_000);

  it('is asked again for each call, however many others were refused before', async () => {
    await files.write(`${place}/a`, 'content');
    for (let looks = 0; looks < 45; looks += 1) {
      s3.next('ListObjectsV2', 'internal-error', 'internal-error');
      expect(await files.names(place)).toEqual(['a']);
    }
  }, 120_000);

  it('is given up when it asks to slow down again and again, as throttled', async () => {
    await files.write(`${place}/a`, 'content');
    s3.next('GetObject', ...Array<'slow-down'>(5).fill('slow-down'));
    await expect(files.read(`${place}/a`)).rejects.toMatchObject({ code: 'AwsThrottled', retryable: true });
  }, 120_000);

  it('that breaks off in the middle of a body is read on from there', async () => {
    const content = bytes(3 * MB);
    await files.write(`${place}/a`, content);
    s3.next('GetObject', 'cut', 'cut');
    expect(Buffer.from(await files.read(`${place}/a`)).equals(content)).toBe(true);
    const ranges = s3.calls.filter(({ operation }) => operation === 'GetObject').map(({ range }) => range);
    expect(ranges[0]).toBeUndefined();
    for (const range of ranges.slice(1)) expect(range).toMatch(/^bytes=\d+-$/);
    s3.next('GetObject', 'cut');
    const source = await files.open(`${place}/a`);
    expect(Buffer.from(await source.read(MB, 1000)).equals(content.subarray(MB, MB + 1000))).toBe(true);
  }, 120_000);

  it('that breaks off again and again is given up as not there for now', async () => {
    await files.write(`${place}/a`, bytes(MB));
    s3.next('GetObject', ...Array<'cut'>(6).fill('cut'));
    await expect(files.read(`${place}/a`)).rejects.toMatchObject({ code: 'AwsUnavailable', retryable: true });
  }, 120_000);

  it('is not read on where the object was replaced meanwhile', async () => {
    await files.write(`${place}/a`, bytes(2 * MB));
    s3.next('GetObject', 'cut');
    const other = Buffer.alloc(2 * MB, 'another');
    await expect(readWhileReplaced(files, `${place}/a`, other)).rejects.toMatchObject({ code: 'IoError' });
  }, 120_000);

  it('that hands out another byte than was stored is found out', async () => {
    await files.write(`${place}/a`, bytes(MB));
    s3.next('GetObject', 'corrupt');
    await expect(files.read(`${place}/a`)).rejects.toMatchObject({ code: 'ChecksumMismatch', retryable: true });
    expect((await files.read(`${place}/a`)).length).toBe(MB);
  }, 120_000);

  it('takes a part of an upload again that failed', async () => {
    s3.next('UploadPart', 'fine', 'slow-down', 'drop', 'lost');
    await files.writeStream(`${place}/a`, stream(LARGE), LARGE);
    expect((await files.stat(`${place}/a`))?.size).toBe(LARGE);
    expect(await unfinished()).toBe(0);
  }, 120_000);

  it.each([
    ['a part', 'UploadPart', 15],
    ['the end', 'CompleteMultipartUpload', 5],
  ] as const)(
    'keeps nothing of an upload of which %s fails for good',
    async (_, operation, times) => {
      s3.next(operation, ...Array<'internal-error'>(times).fill('internal-error'));
      s3.next('AbortMultipartUpload', 'slow-down');
      const writing = files.writeStream(`${place}/a`, stream(LARGE), LARGE);
      await expect(writing).rejects.toMatchObject({ code: 'AwsUnavailable' });
      // Parts that were on their way when the first had failed need not all have been tried.
      const { calls } = s3;
      s3.reset();
      expect(calls.length).toBe(0);
      expect(await unfinished()).toBe(0);
      expect(await files.stat(`${place}/a`)).toBeUndefined();
    },
    120_000,
  );

  it('keeps nothing of an upload whose source fails, or that is given up', async () => {
    const broken = stream(LARGE, (at) => {
      if (at === 20 * MB) throw new Error('the disk is gone');
    });
    await expect(files.writeStream(`${place}/a`, broken, LARGE)).rejects.toThrow('the disk is gone');
    expect(await unfinished()).toBe(0);
    const stop = new AbortController();
    s3.onCall = (operation) => {
      if (operation === 'UploadPart') stop.abort(new Error('enough'));
    };
    await expect(files.writeStream(`${place}/a`, stream(LARGE), LARGE, stop.signal)).rejects.toThrow('enough');
    expect(count('CreateMultipartUpload')).toBe(2);
    expect(await unfinished()).toBe(0);
    expect(await files.stat(`${place}/a`)).toBeUndefined();
  }, 120_000);

  it('writes once where the answer to the first write was lost: it was ours', async () => {
    s3.next('PutObject', 'lost');
    expect(await files.writeOnce(`${place}/a`, 'ours')).toBe(true);
    expect(await files.readText(`${place}/a`)).toBe('ours');
    expect(await files.writeOnce(`${place}/a`, 'ours')).toBe(false);
    s3.next('PutObject', 'lost', 'lost', 'slow-down', 'conflict');
    expect(await files.writeOnce(`${place}/b`, 'ours')).toBe(true);
  }, 120_000);

  it('does not say that a write was ours which was not, though it had to be tried again', async () => {
    await files.write(`${place}/a`, 'ours');
    s3.next('PutObject', 'slow-down', 'drop', 'lost');
    expect(await files.writeOnce(`${place}/a`, 'ours')).toBe(false);
    s3.next('PutObject', 'conflict');
    expect(await files.writeOnce(`${place}/a`, 'another')).toBe(false);
    expect(await files.readText(`${place}/a`)).toBe('ours');
  }, 120_000);

  it('copies and moves within itself through faults, and removes nothing that was not copied', async () => {
    await files.write(`${place}/from/1`, 'one');
    await files.write(`${place}/from/2`, 'two');
    s3.next('PutObject', 'slow-down', 'lost');
    await files.copy(`${place}/from`, `${place}/to`);
    expect(await files.names(`${place}/to`)).toEqual(['1', '2']);
    s3.next('PutObject', ...Array<'internal-error'>(5).fill('internal-error'));
    await expect(files.rename(`${place}/from/1`, `${place}/moved`)).rejects.toMatchObject({ code: 'AwsUnavailable' });
    expect(await files.readText(`${place}/from/1`)).toBe('one');
  }, 120_000);
});
