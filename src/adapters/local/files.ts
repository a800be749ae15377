import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, type Dirent } from 'node:fs';
import {
  access,
  constants,
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { CohortflowError } from '../../domain/errors.js';
import type { ByteSource, FileEntry, Files } from '../../ports/files.js';
import { gunzipped, gunzipStream, gzipped } from '../gzip.js';
import { linesOf } from '../text-lines.js';
import { wayDown, type Above } from './folder-loops.js';
import { ioError, isNotFound, isTaken, isTooLarge, writeError } from './io-errors.js';

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
    const walk = async (current: string, above: Above): Promise<void> => {
      const way = await wayDown(current, above);
      if (way === undefined) return;
      // No real study nests this deep.
      if (way.length > 65) throw new CohortflowError('IoError', `${current}: folders are nested more than 64 deep`);
      for (const item of await readFolder(current)) {
        options.signal?.throwIfAborted();
        const entry = await entryOf(join(current, item.name), item.name);
        if (entry === undefined) continue;
        if (options.recursive !== true) found.push(entry);
        else if (entry.kind === 'folder') await walk(entry.path, way);
        else found.push(entry);
      }
    };
    await walk(folder, []);
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
    const raw = createReadStream(path, { signal, highWaterMark: 1 << 20 });
    try {
      yield* gunzipStream(raw as AsyncIterable<Uint8Array>);
    } catch (error) {
      throw ioError(error, path, 'reading');
    } finally {
      raw.destroy();
    }
  }

  lines(path: string, signal?: AbortSignal): AsyncIterable<string> {
    return linesOf(this.stream(path, signal));
  }

  async readGzip(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    return gunzipped(await this.read(path, signal), path);
  }

  async write(...[path, content, { durable = false } = {}]: Parameters<Files['write']>): Promise<void> {
    await this.writeAside(path, content, durable);
  }

  async writeGzip(path: string, content: Uint8Array): Promise<void> {
    await this.write(path, await gzipped(content));
  }

  async writeOnce(path: string, content: Uint8Array | string): Promise<boolean> {
    let first = true;
    await this.writeAside(path, content, true, async (aside) => {
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
      throw await writeError(error, path, 'making folder');
    }
  }

  async remove(path: string): Promise<void> {
    try {
      await rm(path, { recursive: true, force: true });
    } catch (error) {
      throw await writeError(error, path, 'removing');
    }
  }

  async rename(from: string, to: string): Promise<void> {
    try {
      await mkdir(dirname(to), { recursive: true });
      await rename(from, to);
    } catch (error) {
      throw await writeError(error, to, 'moving into place');
    }
  }

  async copy(from: string, to: string, signal?: AbortSignal): Promise<void> {
    const found = await this.stat(from);
    if (found === undefined) throw new CohortflowError('FileNotFound', `copying ${from}: nothing is there`);
    const folder = found.kind === 'folder';
    const entries = folder ? await this.list(from, { recursive: true }) : [found];
    for (const entry of entries) {
      signal?.throwIfAborted();
      const place = folder ? join(to, relative(from, entry.path)) : to;
      await this.aside(place, async (aside) => {
        // Told apart from a place that cannot be written to.
        await access(entry.path, constants.R_OK).catch((error: unknown) => {
          throw ioError(error, entry.path, 'reading');
        });
        await copyFile(entry.path, aside);
      });
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

  /** Makes a private file beside the target and gives it its name; leaves nothing behind on failure. */
  private async aside(
    path: string,
    make: (aside: string) => Promise<void>,
    place: (aside: string) => Promise<void> = (aside) => rename(aside, path),
  ): Promise<void> {
    const aside = join(dirname(path), `.${randomBytes(8).toString('hex')}.part`);
    try {
      await mkdir(dirname(path), { recursive: true });
      await make(aside);
      await place(aside);
    } catch (error) {
      throw await writeError(error, path, 'writing');
    } finally {
      await rm(aside, { force: true }).catch(() => undefined);
    }
  }

  private writeAside(
    path: string,
    content: Uint8Array | string | AsyncIterable<string>,
    durable: boolean,
    place?: (aside: string) => Promise<void>,
  ): Promise<void> {
    const whole = typeof content === 'string' || content instanceof Uint8Array ? content : gathered(content);
    const make = async (aside: string): Promise<void> => {
      const handle = await open(aside, 'wx');
      try {
        await writeFile(handle, whole);
        // A name may reach the disk before the content does: after a power cut the file would be there, and empty.
        if (durable) await handle.sync();
      } finally {
        await handle.close();
      }
    };
    return this.aside(path, make, place);
  }
}
