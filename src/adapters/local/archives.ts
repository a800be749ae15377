import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { extract } from 'tar-stream';
import { open as openZip, type Entry, type ZipFile } from 'yauzl';
import { ArchiveBounds, entryPlace } from '../../domain/archive-rules.js';
import { CohortflowError, messageOf } from '../../domain/errors.js';
import type { Archives } from '../../ports/archives.js';
import { gunzipStream, isGzip } from '../gzip.js';
import { ioError } from './io-errors.js';

const BLOCK = 512;
/** Checksums that an archive of TCIA carries: a header, then file name and MD5. */
const MD5_LIST = 'md5hashes.csv';

function isZip(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && [3, 5].includes(head[2] ?? 0) && [4, 6].includes(head[3] ?? 0);
}

function isTar(head: Uint8Array): boolean {
  return Buffer.from(head.subarray(257, 262)).toString('latin1') === 'ustar';
}

/** The first block of a stream. */
async function firstBlock(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  let head = Buffer.alloc(0);
  for await (const chunk of chunks) {
    head = Buffer.concat([head, chunk]);
    if (head.length >= BLOCK) break;
  }
  return head.subarray(0, BLOCK);
}

async function kindOf(path: string): Promise<'zip' | 'tar' | undefined> {
  const handle = await open(path, 'r');
  let head: Uint8Array;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(BLOCK), 0, BLOCK, 0);
    head = buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
  if (isZip(head)) return 'zip';
  if (isTar(head)) return 'tar';
  if (!isGzip(head)) return undefined;
  const raw = createReadStream(path);
  try {
    // A damaged stream of gzip is for whoever reads it as what it is.
    const inner = await firstBlock(gunzipStream(raw as AsyncIterable<Uint8Array>)).catch(() => new Uint8Array(0));
    return isTar(inner) ? 'tar' : undefined;
  } finally {
    raw.destroy();
  }
}

/** Counts the bytes that pass, and their CRC-32. */
function counting(bounds: ArchiveBounds): {
  readonly through: Transform;
  readonly crc: () => number;
  readonly size: () => number;
} {
  let crc = 0;
  let size = 0;
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        bounds.add(chunk.length);
        crc = crc32(chunk, crc);
        size += chunk.length;
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  return { through, crc: () => crc, size: () => size };
}

/** Writes one entry; a second of the same name is a fault. */
async function writeEntry(
  content: Readable,
  folder: string,
  place: string,
  bounds: ArchiveBounds,
  signal: AbortSignal,
): Promise<{ readonly crc: number; readonly size: number }> {
  const path = join(folder, place);
  await mkdir(dirname(path), { recursive: true });
  const { through, crc, size } = counting(bounds);
  await pipeline(content, through, createWriteStream(path, { flags: 'wx' }), { signal });
  return { crc: crc(), size: size() };
}

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

/** True for a regular file: its mode says so, or its maker knows of no modes. */
function isRegular(entry: Entry): boolean {
  const mode = (entry.externalFileAttributes >>> 16) & S_IFMT;
  return mode === 0 || mode === S_IFREG;
}

async function unpackZip(path: string, folder: string, bounds: ArchiveBounds, signal: AbortSignal): Promise<void> {
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    // Names are judged by our own rules: an entry of another system's making may have backslashes.
    openZip(path, { lazyEntries: true, autoClose: false, strictFileNames: false }, (error, file) => {
      if (error !== null || file === undefined) reject(error ?? new Error('it does not open'));
      else resolve(file);
    });
  });
  const streamOf = (entry: Entry): Promise<Readable> =>
    new Promise((resolve, reject) => {
      zip.openReadStream(entry, (error, stream) => {
        if (error !== null || stream === undefined) reject(error ?? new Error('an entry does not open'));
        else resolve(stream);
      });
    });
  try {
    await new Promise<void>((resolve, reject) => {
      const one = async (entry: Entry): Promise<void> => {
        signal.throwIfAborted();
        bounds.entry();
        const place = entryPlace(entry.fileName);
        if (entry.fileName.endsWith('/') || place === '' || !isRegular(entry)) return;
        if (entry.isEncrypted()) throw new CohortflowError('ArchiveEncrypted', 'the archive is encrypted');
        const { crc } = await writeEntry(await streamOf(entry), folder, place, bounds, signal);
        if (crc !== entry.crc32) throw new Error('the checksum of an entry is wrong');
      };
      zip.on('entry', (entry: Entry) => {
        one(entry).then(() => zip.readEntry(), reject);
      });
      zip.once('end', resolve);
      zip.once('error', reject);
      zip.readEntry();
    });
  } finally {
    zip.close();
  }
}

async function unpackTar(path: string, folder: string, bounds: ArchiveBounds, signal: AbortSignal): Promise<void> {
  const raw = createReadStream(path, { signal });
  const unpacking = extract();
  const content = Readable.from(gunzipStream(raw as AsyncIterable<Uint8Array>), { objectMode: false });
  const feeding = pipeline(content, unpacking, { signal });
  const reading = async (): Promise<void> => {
    for await (const entry of unpacking) {
      bounds.entry();
      const { name, type, size = 0 } = entry.header;
      const place = entryPlace(name);
      if ((type !== 'file' && type !== 'contiguous-file') || place === '') {
        entry.resume();
        continue;
      }
      const written = await writeEntry(entry as unknown as Readable, folder, place, bounds, signal);
      if (written.size !== size) throw new Error('an entry ends early');
    }
  };
  // Whichever fails first: one that is cut off leaves the other waiting for what never comes.
  const failed = feeding.then(() => new Promise<never>(() => undefined));
  try {
    await Promise.race([Promise.all([reading(), feeding]), failed]);
  } finally {
    raw.destroy();
    content.destroy();
    unpacking.destroy();
  }
}

/** Compares what was unpacked with the checksums that came with it, if any did. */
async function verify(folder: string, signal: AbortSignal): Promise<void> {
  let list: string;
  try {
    list = await readFile(join(folder, MD5_LIST), 'utf8');
  } catch {
    return;
  }
  for (const line of list.split(/\r?\n/).slice(1)) {
    signal.throwIfAborted();
    const [, name = '', wanted = ''] = /^"?([^",]+)"?,"?([0-9a-fA-F]{32})"?\s*$/.exec(line) ?? [];
    if (name === '') continue;
    const hash = createHash('md5');
    for await (const chunk of createReadStream(join(folder, entryPlace(name)))) hash.update(chunk as Uint8Array);
    if (hash.digest('hex') !== wanted.toLowerCase()) throw new Error(`a file is not what ${MD5_LIST} says`);
  }
}

/** What a failure of unpacking means. */
function coded(error: unknown, folder: string): unknown {
  if (error instanceof CohortflowError) return error;
  const code = (error as { code?: unknown }).code;
  if (code === 'ENOSPC' || code === 'EDQUOT') return ioError(error, folder, 'unpacking into');
  const said = messageOf(error);
  if (/relative path|absolute path|invalid characters in fileName/i.test(said)) {
    return new CohortflowError(
      'ArchiveUnsafe',
      'the archive has an entry whose path leads out of its folder',
      {},
      error,
    );
  }
  const message =
    code === 'EEXIST'
      ? 'the archive holds several files of one name'
      : code === 'ENOENT'
        ? `the archive lacks a file that its ${MD5_LIST} lists`
        : 'the archive is damaged or cut off: fetch it again';
  return new CohortflowError('ArchiveDamaged', message, {}, error);
}

/** {@link Archives} by yauzl and tar-stream, entry by entry: memory does not grow with the archive. */
export class LocalArchives implements Archives {
  async unpack(path: string, folder: string, signal: AbortSignal): Promise<boolean> {
    const kind = await kindOf(path);
    if (kind === undefined) return false;
    const bounds = new ArchiveBounds((await stat(path)).size);
    try {
      await mkdir(folder, { recursive: true });
      await (kind === 'zip' ? unpackZip : unpackTar)(path, folder, bounds, signal);
      await verify(folder, signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      throw coded(error, folder);
    }
  }
}
