import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { CohortflowError } from '../../domain/errors.js';
import type { Files } from '../../ports/files.js';
import type { Fingerprints } from '../../ports/run-ledger.js';
import { ioError } from './io-errors.js';

/** What must be unchanged for a remembered hash to hold. */
type Known = Readonly<Record<string, { readonly id: string; readonly sha256: string }>>;

async function identity(path: string): Promise<string> {
  try {
    const { size, mtimeNs, ctimeNs, ino } = await stat(path, { bigint: true });
    return `${size}:${mtimeNs}:${ctimeNs}:${ino}`;
  } catch (error) {
    throw ioError(error, path, 'looking at');
  }
}

/** Content hashes on this machine; a file is read again only when its size, times or inode changed. */
export class LocalFingerprints implements Fingerprints {
  /**
   * @param folder where hashes are remembered between runs: one small file per fingerprinted path
   * @param verify read every file again, whatever is remembered (`--verify-inputs`)
   */
  constructor(
    private readonly files: Files,
    private readonly folder: string,
    private readonly verify = false,
  ) {}

  async of(path: string, signal?: AbortSignal): Promise<string> {
    const entry = await this.files.stat(path);
    if (entry === undefined) throw new CohortflowError('FileNotFound', `reading ${path}: nothing is there`);
    const memory = join(this.folder, `${createHash('sha256').update(path).digest('hex')}.json`);
    const known = this.verify ? {} : await this.remembered(memory);
    const paths =
      entry.kind === 'file'
        ? [path]
        : (await this.files.list(path, signal === undefined ? { recursive: true } : { recursive: true, signal })).map(
            (found) => found.path,
          );
    const now: Record<string, { id: string; sha256: string }> = {};
    let read = 0;
    for (const file of paths) {
      signal?.throwIfAborted();
      const name = relative(path, file);
      const id = await identity(file);
      const before = known[name];
      if (before?.id === id) now[name] = before;
      else {
        now[name] = { id, sha256: await this.files.sha256(file, signal) };
        read += 1;
      }
    }
    if (read > 0 || Object.keys(known).length !== paths.length) await this.files.write(memory, JSON.stringify(now));
    if (entry.kind === 'file') return now['']?.sha256 ?? '';
    const total = createHash('sha256');
    for (const [name, { sha256 }] of Object.entries(now)) total.update(`${name}\0${sha256}\n`);
    return total.digest('hex');
  }

  private async remembered(memory: string): Promise<Known> {
    if ((await this.files.stat(memory)) === undefined) return {};
    try {
      return JSON.parse(await this.files.readText(memory)) as Known;
    } catch {
      return {};
    }
  }
}
