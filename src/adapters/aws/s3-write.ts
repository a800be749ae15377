import type { S3Client } from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { abortable } from './client-options.js';
import type { S3Access, S3Commands } from './s3-client.js';
import { isContended, isTaken, s3Error } from './s3-errors.js';
import { locationOf } from './s3-location.js';
import { headOf } from './s3-read.js';

/** What is larger, or of unknown size, goes in parts. */
const MOST_AT_ONCE = 64 * 2 ** 20;
const PART_SIZE = 16 * 2 ** 20;
const PARTS_AT_ONCE = 3;

/** The service takes 10,000 parts at most. */
function partSize(size: number | undefined): number {
  return size === undefined ? PART_SIZE : Math.max(PART_SIZE, Math.ceil(size / 9_000));
}

/** A client whose calls end with a signal, but for the one that takes parts of an upload back. */
function stoppable(client: S3Client, { AbortMultipartUploadCommand }: S3Commands, signal?: AbortSignal): S3Client {
  const send = (command: Parameters<S3Client['send']>[0]): Promise<unknown> =>
    client.send(command, abortable(command instanceof AbortMultipartUploadCommand ? undefined : signal));
  return Object.create(client, { send: { value: send } }) as S3Client;
}

/**
 * Writes an object whole or not at all: S3 shows it when its last byte has arrived and its checksum fits; parts of one that
 * breaks off are taken back.
 *
 * @param size of a stream, where it is known
 */
export async function putObject(
  access: S3Access,
  uri: string,
  content: Uint8Array | string | AsyncIterable<Uint8Array | string>,
  options: { readonly size?: number; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { signal, size } = options;
  const { bucket, key } = locationOf(uri);
  const target = { Bucket: bucket, Key: key, ...access.writing(), ...access.payer(bucket) };
  try {
    const client = await access.client(bucket);
    const body = typeof content === 'string' ? Buffer.from(content) : content;
    if (body instanceof Uint8Array && body.length <= MOST_AT_ONCE) {
      const { PutObjectCommand } = await access.commands();
      await client.send(new PutObjectCommand({ ...target, Body: body }), abortable(signal));
      return;
    }
    const { Upload } = await import('@aws-sdk/lib-storage');
    const source = Readable.from(body instanceof Uint8Array ? [body] : body, { objectMode: false });
    const upload = new Upload({
      client: stoppable(client, await access.commands(), signal),
      // Without this S3 keeps a checksum of the parts' checksums, which no reader of the whole can compare.
      params: { ...target, Body: source, ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' },
      partSize: partSize(body instanceof Uint8Array ? body.length : size),
      queueSize: PARTS_AT_ONCE,
    });
    // An upload that is told to stop answers before its parts are taken back; one whose source breaks off, after.
    const stop = (): void => void source.destroy(new Error('given up'));
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await upload.done();
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  } catch (error) {
    throw s3Error(error, uri, 'writing', signal);
  }
}

const MOST_CONTENTIONS = 8;

/** Under this name an object that is written once carries which call wrote it. */
const WRITER = 'written-by';

/**
 * Writes an object when nothing of its name is there; false when something is. A write whose answer was lost is repeated and
 * then finds an object: the name of the call in its metadata tells whether it is its own.
 */
export async function putOnce(access: S3Access, uri: string, content: Uint8Array | string): Promise<boolean> {
  const { bucket, key } = locationOf(uri);
  const { PutObjectCommand } = await access.commands();
  const writer = randomUUID();
  for (let contentions = 0; ; contentions += 1) {
    try {
      const client = await access.client(bucket);
      const target = { Bucket: bucket, Key: key, ...access.writing(), ...access.payer(bucket) };
      const Metadata = { [WRITER]: writer };
      await client.send(new PutObjectCommand({ ...target, Body: content, IfNoneMatch: '*', Metadata }));
      return true;
    } catch (error) {
      if (isTaken(error)) return (await headOf(access, uri))?.metadata[WRITER] === writer;
      if (!isContended(error) || contentions === MOST_CONTENTIONS) throw s3Error(error, uri, 'writing');
      await sleep(50 * 2 ** contentions * (0.5 + Math.random()));
    }
  }
}

/** A copy in one call goes up to this size. */
const MOST_COPIED_AT_ONCE = 5 * 2 ** 30;
const COPY_PART = 512 * 2 ** 20;

/** Copies an object within S3: no byte of it comes here. */
export async function copyObject(
  access: S3Access,
  from: string,
  to: string,
  { size, etag }: { readonly size: number; readonly etag: string },
  signal?: AbortSignal,
): Promise<void> {
  const source = locationOf(from);
  const { bucket, key } = locationOf(to);
  const CopySource = `${source.bucket}/${source.key.split('/').map(encodeURIComponent).join('/')}`;
  const target = { Bucket: bucket, Key: key };
  const { Tagging, ...encryption } = access.writing();
  const tags = Tagging === undefined ? {} : { Tagging, TaggingDirective: 'REPLACE' as const };
  const same = { CopySource, CopySourceIfMatch: etag, ...access.payer(source.bucket) };
  try {
    const client = await access.client(bucket);
    const commands = await access.commands();
    if (size <= MOST_COPIED_AT_ONCE) {
      const command = new commands.CopyObjectCommand({ ...target, ...same, ...encryption, ...tags });
      await client.send(command, abortable(signal));
      return;
    }
    const started = new commands.CreateMultipartUploadCommand({ ...target, ...access.writing() });
    const { UploadId } = await client.send(started, abortable(signal));
    try {
      const parts: { PartNumber: number; ETag: string | undefined }[] = [];
      for (let at = 0; at < size; at += COPY_PART) {
        const PartNumber = parts.length + 1;
        const CopySourceRange = `bytes=${at}-${Math.min(at + COPY_PART, size) - 1}`;
        const command = new commands.UploadPartCopyCommand({
          ...target,
          ...same,
          UploadId,
          PartNumber,
          CopySourceRange,
        });
        const { CopyPartResult } = await client.send(command, abortable(signal));
        parts.push({ PartNumber, ETag: CopyPartResult?.ETag });
      }
      const whole = { ...target, UploadId, MultipartUpload: { Parts: parts } };
      await client.send(new commands.CompleteMultipartUploadCommand(whole), abortable(signal));
    } catch (error) {
      await client.send(new commands.AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => undefined);
      throw error;
    }
  } catch (error) {
    throw s3Error(error, from, 'copying', signal);
  }
}

/** Objects removed in one call. */
const REMOVED_AT_ONCE = 1000;

/** Removes objects of one bucket; those that are not there are no error. */
export async function removeObjects(access: S3Access, bucket: string, keys: readonly string[]): Promise<void> {
  const { DeleteObjectsCommand } = await access.commands();
  const client = await access.client(bucket);
  for (let at = 0; at < keys.length; at += REMOVED_AT_ONCE) {
    const some = keys.slice(at, at + REMOVED_AT_ONCE);
    const where = `s3://${bucket}/${some[0] ?? ''}`;
    try {
      const Delete = { Objects: some.map((Key) => ({ Key })), Quiet: true };
      const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete }));
      const [first] = Errors;
      if (first !== undefined) {
        const error = Object.assign(new Error(first.Message ?? 'not removed'), {
          name: first.Code ?? 'InternalError',
          $metadata: { httpStatusCode: first.Code === 'AccessDenied' ? 403 : 500 },
        });
        throw error;
      }
    } catch (error) {
      throw s3Error(error, where, 'removing');
    }
  }
}
