import { createHash } from 'node:crypto';
import { CohortflowError } from '../../domain/errors.js';
import { mapBounded } from '../../domain/map-bounded.js';
import type { AwsSettings } from '../../config/aws-settings.js';
import type { ByteSource, FileEntry, Files } from '../../ports/files.js';
import { gunzipped, gunzipStream, gzipped } from '../gzip.js';
import { ioError } from '../local/io-errors.js';
import { linesOf } from '../text-lines.js';
import { S3Access } from './s3-client.js';
import { below, inWalkOrder } from './s3-list.js';
import { locationOf, uriOf } from './s3-location.js';
import { ARCHIVES, bytesOf, headOf, S3Source, type ObjectHead } from './s3-read.js';
import { copyObject, putObject, putOnce, removeObjects } from './s3-write.js';

/** Objects of one folder copied at once. */
const COPIES_AT_ONCE = 8;

const withoutSlash = (uri: string): string => uriOf(locationOf(uri));
const nameOf = (uri: string): string => uri.slice(uri.lastIndexOf('/') + 1);

const archived = (head: ObjectHead | undefined): Pick<FileEntry, 'archived'> =>
  head?.archived === true ? { archived: true } : {};

function missing(uri: string, doing: string): CohortflowError {
  return new CohortflowError('FileNotFound', `${doing} ${uri}: nothing is there`);
}

/**
 * {@link Files} in S3: paths are `s3://bucket/key`. A folder is whatever has objects below it, `prefix/` always closed. An
 * object that exists is whole, so that nothing is written aside; a rename copies and removes.
 *
 * Faults are those of the port, and the codes of AWS: `AwsDenied`, `AwsThrottled`, `AwsUnavailable`, `ChecksumMismatch`, ….
 */
export class S3Files implements Files {
  readonly #access: S3Access;

  constructor(settings: AwsSettings) {
    this.#access = new S3Access(settings);
  }

  async list(
    folder: string,
    options: { readonly recursive?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<FileEntry[]> {
    const found: FileEntry[] = [];
    for await (const { etag: _, ...entry } of below(this.#access, folder, options)) found.push(entry);
    if (found.length === 0) throw missing(folder, 'listing');
    return found.sort(inWalkOrder);
  }

  async names(folder: string): Promise<string[]> {
    const found: string[] = [];
    for await (const { name } of below(this.#access, folder)) found.push(name);
    return found.sort();
  }

  async stat(path: string): Promise<FileEntry | undefined> {
    const uri = withoutSlash(path);
    const head = await this.head(uri);
    if (head !== undefined) return { path: uri, name: nameOf(uri), size: head.size, kind: 'file', ...archived(head) };
    for await (const { path: first, storageClass = '' } of below(this.#access, uri, { limit: 1 })) {
      const inArchive = ARCHIVES.test(storageClass) ? archived(await this.head(first)) : {};
      return { path: uri, name: nameOf(uri), size: 0, kind: 'folder', ...inArchive };
    }
    return undefined;
  }

  /** What S3 says of an object without handing it out; undefined when there is none. */
  head(path: string, signal?: AbortSignal): Promise<ObjectHead | undefined> {
    return headOf(this.#access, withoutSlash(path), signal);
  }

  /** All objects below a place with what tells their versions apart, in walking order. */
  async versions(
    folder: string,
    signal?: AbortSignal,
  ): Promise<readonly (FileEntry & { readonly etag: string; readonly below: string })[]> {
    const root = `${withoutSlash(folder)}/`;
    const found: (FileEntry & { readonly etag: string; readonly below: string })[] = [];
    for await (const entry of below(this.#access, folder, { recursive: true, signal })) {
      found.push({ ...entry, below: entry.path.slice(root.length) });
    }
    return found.sort(inWalkOrder);
  }

  async open(path: string): Promise<ByteSource> {
    const head = await this.head(path);
    if (head === undefined) throw missing(path, 'opening');
    return new S3Source(this.#access, withoutSlash(path), head.size, head.etag);
  }

  async read(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.raw(path, signal)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async readText(path: string, signal?: AbortSignal): Promise<string> {
    return new TextDecoder().decode(await this.read(path, signal));
  }

  async *stream(path: string, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    try {
      yield* gunzipStream(this.raw(path, signal));
    } catch (error) {
      throw signal?.aborted === true ? error : ioError(error, path, 'reading');
    }
  }

  lines(path: string, signal?: AbortSignal): AsyncIterable<string> {
    return linesOf(this.stream(path, signal));
  }

  async readGzip(path: string, signal?: AbortSignal): Promise<Uint8Array> {
    return gunzipped(await this.read(path, signal), path);
  }

  /** The bytes as they are stored. */
  raw(path: string, signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return bytesOf(this.#access, withoutSlash(path), signal);
  }

  async write(path: string, content: Uint8Array | string | AsyncIterable<string>): Promise<void> {
    await putObject(this.#access, path, content);
  }

  /** Writes what a stream brings, `size` bytes of it. */
  async writeStream(
    path: string,
    content: AsyncIterable<Uint8Array>,
    size: number,
    signal?: AbortSignal,
  ): Promise<void> {
    await putObject(this.#access, path, content, { size, signal });
  }

  async writeGzip(path: string, content: Uint8Array): Promise<void> {
    await this.write(path, await gzipped(content));
  }

  async writeOnce(path: string, content: Uint8Array | string): Promise<boolean> {
    return putOnce(this.#access, path, content);
  }

  async makeFolder(): Promise<void> {
    // Folders are what has objects below it.
  }

  async remove(path: string): Promise<void> {
    const { bucket, key } = locationOf(path);
    if (key === '') throw new CohortflowError('InvalidInput', `removing ${path}: a whole bucket is never removed`);
    const keys = [key];
    for await (const entry of below(this.#access, path, { recursive: true })) keys.push(locationOf(entry.path).key);
    await removeObjects(this.#access, bucket, keys);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.copy(from, to);
    await this.remove(from);
  }

  async copy(from: string, to: string, signal?: AbortSignal): Promise<void> {
    const head = await this.head(from, signal);
    if (head !== undefined) {
      await copyObject(this.#access, withoutSlash(from), withoutSlash(to), head, signal);
      return;
    }
    const found = await this.versions(from, signal);
    if (found.length === 0) throw missing(from, 'copying');
    await mapBounded(found, COPIES_AT_ONCE, (entry) =>
      copyObject(this.#access, entry.path, `${withoutSlash(to)}/${entry.below}`, entry, signal),
    );
  }

  async sha256(path: string, signal?: AbortSignal): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of this.raw(path, signal)) hash.update(chunk);
    return hash.digest('hex');
  }
}
