import { CohortflowError } from './errors.js';

/** More files than any study has. */
const MOST_ENTRIES = 200_000;
/** More bytes than any study has. */
const MOST_BYTES = 64 * 2 ** 30;
/** Images shrink to a third; a file that grows by more than this was made to fill a disk. */
const MOST_GROWTH = 200;
/** Below this size growth harms nobody: an empty volume shrinks to almost nothing. */
const HARMLESS_BYTES = 2 ** 30;

/**
 * The place of an entry below the folder that an archive is unpacked into, `/` between its parts.
 *
 * @throws CohortflowError `ArchiveUnsafe` when it would land anywhere else
 */
export function entryPlace(name: string): string {
  const parts = name.replaceAll('\\', '/').split('/');
  const unsafe = name.startsWith('/') || /^[A-Za-z]:/.test(name) || name.includes('\0') || parts.includes('..');
  if (unsafe) {
    throw new CohortflowError('ArchiveUnsafe', 'the archive has an entry whose path leads out of its folder');
  }
  return parts.filter((part) => part !== '' && part !== '.').join('/');
}

/** Counts what an archive unpacks to, and refuses what no study is. */
export class ArchiveBounds {
  #entries = 0;
  #bytes = 0;

  /** @param size of the archive itself, in bytes */
  constructor(private readonly size: number) {}

  /** @throws CohortflowError `ArchiveTooLarge` */
  entry(): void {
    this.#entries += 1;
    if (this.#entries > MOST_ENTRIES) {
      throw new CohortflowError('ArchiveTooLarge', `the archive has more than ${MOST_ENTRIES} entries`);
    }
  }

  /** @throws CohortflowError `ArchiveTooLarge` */
  add(bytes: number): void {
    this.#bytes += bytes;
    const grown = this.#bytes > HARMLESS_BYTES && this.#bytes > this.size * MOST_GROWTH;
    if (this.#bytes > MOST_BYTES || grown) {
      const gb = Math.floor(this.#bytes / 2 ** 30);
      throw new CohortflowError('ArchiveTooLarge', `the archive of ${this.size} bytes unpacks to more than ${gb} GB`);
    }
  }
}
