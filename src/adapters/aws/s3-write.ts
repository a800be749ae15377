import type { S3Client } from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { abortable } from './client-options.js';
import { RunningCrc32 } from './s3-checksum.js';
import type { S3Access, S3Commands } from './s3-client.js';
import { isContended, isEndedUpload, isTaken, s3Error } from './s3-errors.js';
import { locationOf } from './s3-location.js';
import { headOf } from './s3-read.js';

const PARTS_AT_ONCE = 3;

/** The service takes 10,000 parts at most. */
function partSize(least: number, size: number | undefined): number {
  return size === undefined ? least : Math.max(least, Math.ceil(size / 9_000));
}

/** Under this name an object carries which call wrote it. */
const WRITER = 'written-by';

/**
 * Completes an upload in parts. A call whose answer was lost is repeated, and the upload is then no more: whether its object is
 * there tells the name of its writer.
 */
async function completed<T>(access: S3Access, uri: string, writer: string, complete: () => Promise<T>): Promise<void> {
  try {
    await complete();
  } catch (error) {
    if (!isEndedUpload(error)) throw error;
    if ((await headOf(access, uri))?.metadata[WRITER] !== writer) throw error;
  }
}

/** What becomes of the parts of one upload. */
interface PartsClient {
  readonly client: S3Client;
  readonly commands: S3Commands;
  readonly signal: AbortSignal | undefined;
  /** Completes the upload, with the checksum of all that was sent. */
  readonly complete: (send: (more: { readonly ChecksumCRC32: string }) => Promise<unknown>) => Promise<void>;
}

/** A client whose calls end with a signal, but for the one that takes parts of an upload back. */
function partsClient({ client, commands, signal, complete }: PartsClient): S3Client {
  const { AbortMultipartUploadCommand, CompleteMultipartUploadCommand } = commands;
  const send = (command: Parameters<S3Client['send']>[0]): Promise<unknown> => {
    if (command instanceof CompleteMultipartUploadCommand) {
      const { input } = command;
      return complete((more) =>
        client.send(new CompleteMultipartUploadCommand({ ...input, ...more }), abortable(signal)),
      );
    }
    return client.send(command, abortable(command instanceof AbortMultipartUploadCommand ? undefined : signal));
  };
  return Object.create(client, { send: { value: send } }) as S3Client;
}

/** Passes on what comes, and keeps the checksum of it. */
async function* summed(
  content: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array>,
  checksum: RunningCrc32,
): AsyncGenerator<Uint8Array, undefined> {
  for await (const chunk of content) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    checksum.update(bytes);
    yield bytes;
  }
  return undefined;
}

/**
 * Writes an object whole or not at all: S3 shows it when its last byte has arrived and its checksum fits; parts of one that
 * breaks off are taken back. An object of several parts has the checksum of its whole too, by which readers can compare it.
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
    if (body instanceof Uint8Array && body.length <= access.sizes.mostAtOnce) {
      const { PutObjectCommand } = await access.commands();
      await client.send(new PutObjectCommand({ ...target, Body: body }), abortable(signal));
      return;
    }
    const { Upload } = await import('@aws-sdk/lib-storage');
    const checksum = new RunningCrc32();
    const source = Readable.from(summed(body instanceof Uint8Array ? [body] : body, checksum), { objectMode: false });
    const writer = randomUUID();
    const whole = { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT', Metadata: { [WRITER]: writer } } as const;
    const commands = await access.commands();
    const upload = new Upload({
      client: partsClient({
        client,
        commands,
        signal,
        complete: (send) => completed(access, uri, writer, () => send({ ChecksumCRC32: checksum.digest() })),
      }),
      params: { ...target, ...whole, Body: source },
      partSize: partSize(access.sizes.part, body instanceof Uint8Array ? body.length : size),
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
  const target = { Bucket: bucket, Key: key, ...access.payer(source.bucket, bucket) };
  const { copyPart } = access.sizes;
  const { Tagging, ...encryption } = access.writing();
  const tags = Tagging === undefined ? {} : { Tagging, TaggingDirective: 'REPLACE' as const };
  const same = { CopySource, CopySourceIfMatch: etag };
  try {
    const client = await access.client(bucket);
    const commands = await access.commands();
    if (size <= access.sizes.mostCopiedAtOnce) {
      const command = new commands.CopyObjectCommand({ ...target, ...same, ...encryption, ...tags });
      await client.send(command, abortable(signal));
      return;
    }
    const writer = randomUUID();
    const Metadata = { [WRITER]: writer };
    const started = new commands.CreateMultipartUploadCommand({ ...target, ...access.writing(), Metadata });
    const { UploadId } = await client.send(started, abortable(signal));
    try {
      const parts: { PartNumber: number; ETag: string | undefined }[] = [];
      for (let at = 0; at < size; at += copyPart) {
        const PartNumber = parts.length + 1;
        const CopySourceRange = `bytes=${at}-${Math.min(at + copyPart, size) - 1}`;
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
      const complete = new commands.CompleteMultipartUploadCommand(whole);
      await completed(access, to, writer, () => client.send(complete, abortable(signal)));
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
      const { Errors = [] } = await client.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete, ...access.payer(bucket) }),
      );
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
