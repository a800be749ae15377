/** One entry of a folder. `path` is absolute; `name` is its last part. */
export interface FileEntry {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly kind: 'file' | 'folder';
  /** It, or the first file of the folder, lies in an archive and cannot be read before somebody has it restored. */
  readonly archived?: true;
}

/** Bytes that can be read by range: a large DICOM file is indexed by its header and its pixels are read by offset. */
export interface ByteSource {
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Files, wherever they are: paths are absolute, or `s3://bucket/key` where the adapter serves them.
 *
 * Faults are {@link CohortflowError}s: `FileNotFound`, `DiskFull`, `IoError`. Every write is aside and renamed, so that a
 * file that exists is whole.
 */
export interface Files {
  /** Entries of a folder, sorted by name (code unit order); all files below it when `recursive`. Symbolic links are followed. */
  list(folder: string, options?: { readonly recursive?: boolean; readonly signal?: AbortSignal }): Promise<FileEntry[]>;
  /** Names in a folder, sorted (code unit order): cheaper than {@link list}. None when there is no such folder. */
  names(folder: string): Promise<string[]>;
  /** The entry at a path, or undefined when nothing is there. */
  stat(path: string): Promise<FileEntry | undefined>;
  open(path: string): Promise<ByteSource>;
  read(path: string, signal?: AbortSignal): Promise<Uint8Array>;
  readText(path: string, signal?: AbortSignal): Promise<string>;
  /** Bytes in chunks, gunzipped when the file is gzipped: for streams too large to hold. Throws `IoError` when damaged. */
  stream(path: string, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Lines without their ends; gunzips when the file is gzipped. */
  lines(path: string, signal?: AbortSignal): AsyncIterable<string>;
  /** Reads and gunzips (a file that is not gzipped is returned as it is). Throws `IoError` naming the file when the stream is damaged. */
  readGzip(path: string, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * Writes a file whole; content too large to hold may be given in pieces. `durable`: its content survives a machine that
   * loses power right after, which costs about a millisecond.
   */
  write(
    path: string,
    content: Uint8Array | string | AsyncIterable<string>,
    options?: { readonly durable?: boolean },
  ): Promise<void>;
  /** Gzips (level 3, no time stamp: equal input gives equal bytes) and writes. */
  writeGzip(path: string, content: Uint8Array): Promise<void>;
  /** Writes only when nothing is there yet; false (and nothing changed) when the name is taken. Whole or not at all, and durable. */
  writeOnce(path: string, content: Uint8Array | string): Promise<boolean>;
  makeFolder(path: string): Promise<void>;
  /** Removes a file or a whole folder; nothing there is not an error. */
  remove(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Copies a file, or all files of a folder into a folder; each appears whole. Throws `FileNotFound`. */
  copy(from: string, to: string, signal?: AbortSignal): Promise<void>;
  /** SHA-256 of a file's bytes, hex. */
  sha256(path: string, signal?: AbortSignal): Promise<string>;
}
