import { promisify } from 'node:util';
import { createGunzip, gunzip, gzip } from 'node:zlib';
import { Readable } from 'node:stream';
import { CohortflowError, messageOf } from '../domain/errors.js';

const gunzipAsync = promisify(gunzip);
const gzipAsync = promisify(gzip);

/** Level 3 writes a CT twice as fast as level 6 for two percent more bytes (measured; see docs/decisions). */
const GZIP_LEVEL = 3;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Gzips without a time stamp: equal content gives equal bytes. */
export async function gzipped(content: Uint8Array): Promise<Uint8Array> {
  return gzipAsync(content, { level: GZIP_LEVEL });
}

/**
 * Gunzips bytes; those that are not gzipped are returned as they are.
 *
 * @throws CohortflowError `IoError` naming the path when the stream is damaged
 */
export async function gunzipped(bytes: Uint8Array, path: string): Promise<Uint8Array> {
  if (!isGzip(bytes)) return bytes;
  try {
    return await gunzipAsync(bytes);
  } catch (error) {
    const message = `reading ${path}: the gzip stream is damaged (${messageOf(error)})`;
    throw new CohortflowError('IoError', message, { damaged: true }, error);
  }
}

/** Enough of a stream to tell what it is, and the whole of it. */
async function peeked(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly head: Uint8Array; readonly whole: AsyncIterable<Uint8Array> }> {
  const source: AsyncIterator<Uint8Array, unknown> = chunks[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < 2) {
    const next = await source.next();
    if (next.done === true) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  async function* whole(): AsyncIterable<Uint8Array> {
    try {
      if (head.length > 0) yield head;
      for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
    } finally {
      await source.return?.();
    }
  }
  return { head, whole: whole() };
}

/** The same bytes gunzipped as they come, or as they are when they are not gzipped. */
export async function* gunzipStream(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const { head, whole } = await peeked(chunks);
  if (!isGzip(head)) {
    yield* whole;
    return;
  }
  const raw = Readable.from(whole, { objectMode: false });
  const plain = raw.pipe(createGunzip({ chunkSize: 1 << 18 }));
  // `pipe` does not forward errors: without this a read error would leave the reader waiting.
  raw.on('error', (error) => plain.destroy(error));
  try {
    for await (const chunk of plain) yield chunk as Uint8Array;
  } finally {
    raw.destroy();
    plain.destroy();
  }
}
