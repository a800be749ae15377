import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, type Dirent } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { createGunzip, gunzip, gzip } from 'node:zlib';
import { CohortflowError, messageOf } from '../../domain/errors.js';
import type { ByteSource, FileEntry, Files } from '../../ports/files.js';
import { ioError, isNotFound, isTaken, isTooLarge } from './io-errors.js';

const gunzipAsync = promisify(gunzip);
const gzipAsync = promisify(gzip);

/** Level 3 writes a CT twice as fast as level 6 for two percent more bytes (measured; see docs/decisions). */
const GZIP_LEVEL = 3;

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

async function entryOf(path: string, name: string): Promise<FileEntry | undefined> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return { path, name, size: 0, kind: 'folder' };
    return found.isFile() ? { path, name, size: found.size, kind: 'file' } : undefined;
  } catch (error) {
    // A dangling link or a file removed while listing is no entry.
    if (isNotFound(error)) return undefined;
    throw ioError(error, path, 'looking at');
  }
}

async function readFolder(folder: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  } catch (error) {
    throw ioError(error, folder, 'listing');
  }
}

/** Characters written at once: each write is a call of the system, however short. */
const WRITE_AT_ONCE = 1 << 18;

/** The same text in larger pieces. */
async function* gathered(pieces: AsyncIterable<string>): AsyncIterable<string> {
  let waiting: string[] = [];
  let length = 0;
  for await (const piece of pieces) {
    waiting.push(piece);
    length += piece.length;
    if (length < WRITE_AT_ONCE) continue;
    yield waiting.join('');
    waiting = [];
    length = 0;
  }
  if (length > 0) yield waiting.join('');
}

class LocalByteSource implements ByteSource {
  constructor(
    private readonly handle: Awaited<ReturnType<typeof open>>,
    private readonly path: string,
    readonly size: number,
  ) {}

  async read(offset: number, length: number): Promise<Uint8Array> {
    const wanted = Math.max(0, Math.min(length, this.size - offset));
    const bytes = new Uint8Array(wanted);
    try {
      for (let filled = 0; filled < wanted;) {
        const { bytesRead } = await this.handle.read(bytes, filled, wanted - filled, offset + filled);
        if (bytesRead === 0) return bytes.subarray(0, filled);
        filled += bytesRead;
      }
      return bytes;
    } catch (error) {
      throw ioError(error, this.path, 'reading');
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

/** {@link Files} on this machine's file system. */
export class LocalFiles implements Files {
  async list(
    folder: string,
    options: { readonly recursive?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<FileEntry[]> {
    const found: FileEntry[] = [];
    const walk = async (current: string, depth: number): Promise<void> => {
      // A loop of symbolic links would never end; no real study nests this deep.
      if (depth > 64) throw new CohortflowError('IoError', `${current}: folders are nested more than 64 deep`);
      for (const item of await readFolder(current)) {
        options.signal?.throwIfAborted();
        const entry = await entryOf(join(current, item.name), item.name);
        if (entry === undefined) continue;
        if (options.recursive !== true) found.push(entry);
        else if (entry.kind === 'folder') await walk(entry.path, depth + 1);
        else found.push(entry);
      }
    };
    await walk(folder, 0);
    return found;
  }

  async names(folder: string): Promise<string[]> {
    try {
      return (await readdir(folder)).sort();
    } catch (error) {
      if (isNotFound(error)) return [];
      throw ioError(error, folder, 'listing');
    }
  }

  async stat(path: string): Promise<FileEntry | undefined> {
    return entryOf(path, path.slice(path.lastIndexOf('/') + 1));
  }

  async open(path: string): Promise<ByteSource> {
    try {
      const handle = await open(path, 'r');
      return new LocalByteSource(handle, path, (await handle.stat()).size);
    } catch (error) {
      throw ioError(error, path, 'opening');
    }
  }

  async read(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    try {
      return await readFile(path, { signal });
    } catch (error) {
      // Node reads at most 2 GiB in one call; larger files are for `open` and `stream`.
      if (isTooLarge(error)) throw new CohortflowError('IoError', `reading ${path}: too large to read at once`);
      throw ioError(error, path, 'reading');
    }
  }

  async readText(path: string, signal?: AbortSignal): Promise<string> {
    return new TextDecoder().decode(await this.read(path, signal));
  }

  async *stream(path: string, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    const source = await this.open(path);
    const gzipped = isGzip(await source.read(0, 2));
    await source.close();
    const raw = createReadStream(path, { signal, highWaterMark: 1 << 20 });
    const plain = gzipped ? raw.pipe(createGunzip({ chunkSize: 1 << 18 })) : raw;
    // `pipe` does not forward errors: without this a read error would leave the reader waiting.
    raw.on('error', (error) => plain.destroy(error));
    try {
      for await (const chunk of plain) yield chunk as Uint8Array;
    } catch (error) {
      throw ioError(error, path, 'reading');
    } finally {
      raw.destroy();
      plain.destroy();
    }
  }

  async *lines(path: string, signal?: AbortSignal): AsyncIterable<string> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of this.stream(path, signal)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
    }
    rest += decoder.decode();
    if (rest !== '') yield rest;
  }

  async readGzip(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    const bytes = await this.read(path, signal);
    if (!isGzip(bytes)) return bytes;
    try {
      return await gunzipAsync(bytes);
    } catch (error) {
      throw new CohortflowError(
        'IoError',
        `reading ${path}: the gzip stream is damaged (${messageOf(error)})`,
        {},
        error,
      );
    }
  }

  async write(path: string, content: Uint8Array | string | AsyncIterable<string>): Promise<void> {
    await this.writeAside(path, content, (aside) => rename(aside, path));
  }

  async writeGzip(path: string, content: Uint8Array): Promise<void> {
    // zlib writes no time stamp, so equal content gives equal bytes.
    await this.write(path, await gzipAsync(content, { level: GZIP_LEVEL }));
  }

  async writeOnce(path: string, content: Uint8Array | string): Promise<boolean> {
    let first = true;
    await this.writeAside(path, content, async (aside) => {
      try {
        // A hard link fails where the name is taken, which rename does not: whole and first, in one call.
        await link(aside, path);
      } catch (error) {
        if (!isTaken(error)) throw error;
        first = false;
      }
    });
    return first;
  }

  async makeFolder(path: string): Promise<void> {
    try {
      await mkdir(path, { recursive: true });
    } catch (error) {
      throw ioError(error, path, 'making folder');
    }
  }

  async remove(path: string): Promise<void> {
    try {
      await rm(path, { recursive: true, force: true });
    } catch (error) {
      throw ioError(error, path, 'removing');
    }
  }

  async rename(from: string, to: string): Promise<void> {
    try {
      await mkdir(dirname(to), { recursive: true });
      await rename(from, to);
    } catch (error) {
      throw ioError(error, to, 'moving into place');
    }
  }

  async sha256(path: string, signal?: AbortSignal): Promise<string> {
    const hash = createHash('sha256');
    try {
      for await (const chunk of createReadStream(path, { signal, highWaterMark: 1 << 20 })) {
        hash.update(chunk as Uint8Array);
      }
    } catch (error) {
      throw ioError(error, path, 'reading');
    }
    return hash.digest('hex');
  }

  /** Writes a private file beside the target, lets `place` give it its name, and leaves nothing behind on failure. */
  private async writeAside(
    path: string,
    content: Uint8Array | string | AsyncIterable<string>,
    place: (aside: string) => Promise<void>,
  ): Promise<void> {
    const aside = join(dirname(path), `.${randomBytes(8).toString('hex')}.part`);
    try {
      await mkdir(dirname(path), { recursive: true });
      const handle = await open(aside, 'wx');
      try {
        await writeFile(
          handle,
          typeof content === 'string' || content instanceof Uint8Array ? content : gathered(content),
        );
      } finally {
        await handle.close();
      }
      await place(aside);
    } catch (error) {
      throw ioError(error, path, 'writing');
    } finally {
      await rm(aside, { force: true }).catch(() => undefined);
    }
  }
}
