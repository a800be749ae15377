import { createHash } from 'node:crypto';
import { CohortflowError } from '../../domain/errors.js';
import type { Fingerprints, HashOptions } from '../../ports/run-ledger.js';
import type { S3Files } from './s3-files.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Fingerprints of objects, without reading them: S3 gives every content an entity tag, which changes with it. So nothing has
 * to be remembered either, and to verify is to ask again.
 */
export class S3Fingerprints implements Fingerprints {
  constructor(private readonly files: S3Files) {}

  async of(path: string, { signal }: HashOptions = {}): Promise<string> {
    const found = await this.known(path, signal);
    if (found === undefined) throw new CohortflowError('FileNotFound', `reading ${path}: nothing is there`);
    return found;
  }

  async known(path: string, signal?: AbortSignal): Promise<string | undefined> {
    const own = await this.stamp(path);
    if (own !== undefined) return sha256(own);
    const entries = await this.files.versions(path, signal);
    if (entries.length === 0) return undefined;
    return sha256(entries.map(({ below, etag, size }) => `${below}\0${etag}:${size}\n`).join(''));
  }

  async stamp(path: string): Promise<string | undefined> {
    const head = await this.files.head(path);
    return head === undefined ? undefined : `${head.etag}:${head.size}`;
  }

  async forget(): Promise<void> {
    // Nothing is remembered.
  }
}
