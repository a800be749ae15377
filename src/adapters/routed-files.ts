import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mapBounded } from '../domain/map-bounded.js';
import { CohortflowError } from '../domain/errors.js';
import type { ByteSource, FileEntry, Files } from '../ports/files.js';
import type { S3Files } from './aws/s3-files.js';
import { isS3 } from './aws/s3-location.js';
import { writeError } from './local/io-errors.js';

/** Files of one folder that go from store to store at once. */
const TRANSFERS_AT_ONCE = 8;

/** The path that a `file://` URI stands for; any other path as it is. */
const localPath = (path: string): string => (path.startsWith('file://') ? fileURLToPath(path) : path);

/**
 * {@link Files} wherever they are: `s3://…` in S3, everything else on this machine. What goes from one to the other is
 * streamed, appears whole, and is compared in length with what it was.
 */
export class RoutedFiles implements Files {
  constructor(
    private readonly local: Files,
    private readonly s3: S3Files,
  ) {}

  list(folder: string, options: Parameters<Files['list']>[1] = {}): Promise<FileEntry[]> {
    return this.at(folder).list(localPath(folder), options);
  }

  names(folder: string): Promise<string[]> {
    return this.at(folder).names(localPath(folder));
  }

  stat(path: string): Promise<FileEntry | undefined> {
    return this.at(path).stat(localPath(path));
  }

  open(path: string): Promise<ByteSource> {
    return this.at(path).open(localPath(path));
  }

  read(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    return this.at(path).read(localPath(path), signal);
  }

  readText(path: string, signal?: AbortSignal): Promise<string> {
    return this.at(path).readText(localPath(path), signal);
  }

  stream(path: string, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return this.at(path).stream(localPath(path), signal);
  }

  lines(path: string, signal?: AbortSignal): AsyncIterable<string> {
    return this.at(path).lines(localPath(path), signal);
  }

  readGzip(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    return this.at(path).readGzip(localPath(path), signal);
  }

  write(...[path, content, options]: Parameters<Files['write']>): Promise<void> {
    return this.at(path).write(localPath(path), content, options);
  }

  writeGzip(path: string, content: Uint8Array): Promise<void> {
    return this.at(path).writeGzip(localPath(path), content);
  }

  writeOnce(path: string, content: Uint8Array | string): Promise<boolean> {
    return this.at(path).writeOnce(localPath(path), content);
  }

  makeFolder(path: string): Promise<void> {
    return this.at(path).makeFolder(localPath(path));
  }

  remove(path: string): Promise<void> {
    return this.at(path).remove(localPath(path));
  }

  async rename(from: string, to: string): Promise<void> {
    if (isS3(from) === isS3(to)) return this.at(from).rename(localPath(from), localPath(to));
    await this.copy(from, to);
    await this.remove(from);
  }

  async copy(from: string, to: string, signal?: AbortSignal): Promise<void> {
    if (isS3(from) === isS3(to)) return this.at(from).copy(localPath(from), localPath(to), signal);
    const found = await this.stat(from);
    if (found === undefined) throw new CohortflowError('FileNotFound', `copying ${from}: nothing is there`);
    const one = isS3(from) ? this.download.bind(this) : this.upload.bind(this);
    if (found.kind === 'file') {
      await one(found, localPath(to), signal);
      return;
    }
    const options = { recursive: true, ...(signal === undefined ? {} : { signal }) };
    const entries = await this.list(from, options);
    await mapBounded(entries, TRANSFERS_AT_ONCE, (entry) =>
      one(entry, `${localPath(to)}/${entry.path.slice(found.path.length + 1)}`, signal),
    );
  }

  sha256(path: string, signal?: AbortSignal): Promise<string> {
    return this.at(path).sha256(localPath(path), signal);
  }

  private at(path: string): Files {
    return isS3(path) ? this.s3 : this.local;
  }

  private upload(from: FileEntry, to: string, signal?: AbortSignal): Promise<void> {
    const content = createReadStream(from.path, { highWaterMark: 1 << 20 });
    return this.s3.writeStream(to, content, from.size, signal);
  }

  /** Streams an object into a file beside the target, and gives it its name when all of it is there. */
  private async download(from: FileEntry, to: string, signal?: AbortSignal): Promise<void> {
    const aside = join(dirname(to), `.${randomBytes(8).toString('hex')}.part`);
    const raw = this.s3.raw(from.path, signal);
    try {
      await mkdir(dirname(to), { recursive: true });
      const handle = await open(aside, 'wx');
      let size = 0;
      try {
        for await (const chunk of raw) {
          signal?.throwIfAborted();
          await handle.writeFile(chunk);
          size += chunk.length;
        }
      } finally {
        await handle.close();
      }
      if (size !== from.size) {
        throw new CohortflowError('IoError', `copying ${from.path}: ${size} of ${from.size} bytes came`);
      }
      await rename(aside, to);
    } catch (error) {
      if (error instanceof CohortflowError || signal?.aborted === true) throw error;
      throw await writeError(error, to, 'writing');
    } finally {
      await rm(aside, { force: true }).catch(() => undefined);
    }
  }
}
