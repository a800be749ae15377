import { archiveUri, sraArchive } from '../../adapters/aws/sra-archive.js';
import { isRunAccession } from '../../domain/cohort/cell-checks.js';
import type { Files } from '../../ports/files.js';
import type { SizeOf } from './measure-cohort.js';

const ANSWER_MS = 30_000;

/** The length that a server tells of a file, undefined when it tells none. */
async function httpBytes(url: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    const answer = await fetch(url, { method: 'HEAD', signal: limit });
    const length = answer.headers.get('content-length');
    return answer.ok && length !== null ? Number(length) : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Sizes of what a sheet may name: files and folders of this machine and of S3, the web, accessions of the read archive. */
export function sizeOfPlaces(files: Files): SizeOf {
  const archive = sraArchive();
  return async (place, signal) => {
    if (/^https?:\/\//i.test(place)) return httpBytes(place, signal);
    if (isRunAccession(place)) {
      // The archive is public and may be out of reach: a plan goes on without.
      const found = await archive.stat(archiveUri(place)).catch(() => undefined);
      return found?.size;
    }
    if (/^(?!s3:)[a-z][a-z0-9+.-]+:\/\//i.test(place)) return undefined;
    const entry = await files.stat(place);
    if (entry === undefined) return undefined;
    if (entry.kind === 'file') return entry.size;
    const below = await files.list(place, { recursive: true, signal });
    return below.reduce((sum, { size, kind }) => sum + (kind === 'file' ? size : 0), 0);
  };
}
