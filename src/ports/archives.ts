/** Archives of files (zip, tar, gzipped tar), told by their content. */
export interface Archives {
  /**
   * Unpacks an archive into an empty folder of this machine; false, and nothing done, when the file is none. Links and devices
   * are passed over.
   *
   * Throws `ArchiveDamaged`, `ArchiveEncrypted`, `ArchiveUnsafe` (an entry that would land elsewhere), `ArchiveTooLarge`
   * (more than any study, or than its own size explains), `DiskFull`, `IoError`. Messages do not name entries.
   */
  unpack(path: string, folder: string, signal: AbortSignal): Promise<boolean>;
}
