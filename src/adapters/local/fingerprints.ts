import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CohortflowError } from '../../domain/errors.js';
import { mapBounded } from '../../domain/map-bounded.js';
import type { Files } from '../../ports/files.js';
import type { Fingerprints, HashOptions } from '../../ports/run-ledger.js';
import { wayDown, type Above } from './folder-loops.js';
import { ioError, isNotFound } from './io-errors.js';

/** Looks at the file system under way at once: more only queue up in Node's four threads. */
const LOOKS_AT_ONCE = 16;

/** No real study nests this deep. */
const MAX_DEPTH = 64;

/** What is remembered of a path: for each file below it (or itself, named '') its identity and hash, in walking order. */
interface Memory {
  readonly path: string;
  readonly files: readonly (readonly [name: string, stamp: string, sha256: string])[];
}

/** A file below a fingerprinted path, as it is now. */
interface Seen {
  readonly name: string;
  readonly stamp: string;
}

interface Look {
  readonly kind: 'file' | 'folder' | 'other';
  readonly stamp: string;
}

async function look(path: string): Promise<Look | undefined> {
  try {
    const found = await stat(path, { bigint: true });
    const { size, mtimeNs, ctimeNs, ino } = found;
    const kind = found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
    return { kind, stamp: `${size}:${mtimeNs}:${ctimeNs}:${ino}` };
  } catch (error) {
    // A dangling link or a file removed meanwhile is nothing.
    if (isNotFound(error)) return undefined;
    throw ioError(error, path, 'looking at');
  }
}

/** All files below a folder, each folder's entries sorted by name (code unit order), links followed. */
async function walk(folder: string, prefix: string, above: Above, signal: AbortSignal | undefined): Promise<Seen[]> {
  const way = await wayDown(folder, above);
  if (way === undefined) return [];
  if (way.length > MAX_DEPTH + 1)
    throw new CohortflowError('IoError', `${folder}: folders are nested more than 64 deep`);
  signal?.throwIfAborted();
  const names = await readdir(folder).catch((error: unknown) => {
    throw ioError(error, folder, 'listing');
  });
  names.sort();
  const looks = await mapBounded(names, LOOKS_AT_ONCE, (name) => look(join(folder, name)));
  const seen: Seen[] = [];
  for (const [index, name] of names.entries()) {
    const found = looks[index];
    if (found?.kind === 'file') seen.push({ name: prefix + name, stamp: found.stamp });
    if (found?.kind === 'folder') {
      for (const below of await walk(join(folder, name), `${prefix}${name}/`, way, signal)) seen.push(below);
    }
  }
  return seen;
}

function totalOf(kind: 'file' | 'folder', files: Memory['files']): string {
  if (kind === 'file') return files[0]?.[2] ?? '';
  const total = createHash('sha256');
  for (const [name, , sha256] of files) total.update(`${name}\0${sha256}\n`);
  return total.digest('hex');
}

/** Content hashes on this machine; a file is read again only when its size, times or inode changed. */
export class LocalFingerprints implements Fingerprints {
  /** @param folder where hashes are remembered between runs: one small file per fingerprinted path */
  constructor(
    private readonly files: Files,
    private readonly folder: string,
  ) {}

  async of(path: string, { signal, verify = false }: HashOptions = {}): Promise<string> {
    const now = await this.see(path, signal);
    if (now === undefined) throw new CohortflowError('FileNotFound', `reading ${path}: nothing is there`);
    const remembered = verify ? [] : ((await this.remembered(path))?.files ?? []);
    const known = new Map(remembered.map(([name, stamp, sha256]) => [name, { stamp, sha256 }]));
    const hashed: (readonly [string, string, string])[] = [];
    let read = 0;
    for (const { name, stamp } of now.files) {
      signal?.throwIfAborted();
      const before = known.get(name);
      if (before?.stamp === stamp) hashed.push([name, stamp, before.sha256]);
      else {
        hashed.push([name, stamp, await this.files.sha256(name === '' ? path : join(path, name), signal)]);
        read += 1;
      }
    }
    if (read > 0 || known.size !== hashed.length) {
      await this.files.write(this.memoryOf(path), JSON.stringify({ path, files: hashed } satisfies Memory));
    }
    return totalOf(now.kind, hashed);
  }

  async known(path: string, signal?: AbortSignal): Promise<string | undefined> {
    // First what is remembered: a path never hashed costs one look, however large it is.
    const memory = await this.remembered(path);
    if (memory === undefined) return undefined;
    const now = await this.see(path, signal);
    if (now === undefined || now.files.length !== memory.files.length) return undefined;
    const same = now.files.every(({ name, stamp }, index) => {
      const before = memory.files[index];
      return before !== undefined && before[0] === name && before[1] === stamp;
    });
    return same ? totalOf(now.kind, memory.files) : undefined;
  }

  async stamp(path: string): Promise<string | undefined> {
    const found = await look(path);
    return found?.kind === 'file' ? found.stamp : undefined;
  }

  async forget(path: string): Promise<void> {
    await this.files.remove(this.memoryOf(path));
  }

  private async see(
    path: string,
    signal: AbortSignal | undefined,
  ): Promise<{ kind: 'file' | 'folder'; files: Seen[] } | undefined> {
    const found = await look(path);
    if (found?.kind === 'file') return { kind: 'file', files: [{ name: '', stamp: found.stamp }] };
    return found?.kind === 'folder' ? { kind: 'folder', files: await walk(path, '', [], signal) } : undefined;
  }

  /** Two characters of the hash as a folder: a million files in one folder are slow to work with. */
  private memoryOf(path: string): string {
    const name = createHash('sha256').update(path).digest('hex');
    return join(this.folder, name.slice(0, 2), `${name}.json`);
  }

  private async remembered(path: string): Promise<Memory | undefined> {
    const memory = this.memoryOf(path);
    if ((await this.files.stat(memory)) === undefined) return undefined;
    try {
      const found = JSON.parse(await this.files.readText(memory)) as Memory;
      return found.path === path && Array.isArray(found.files) ? found : undefined;
    } catch {
      // Someone edited it or is removing it: hashing again is safe.
      return undefined;
    }
  }
}
