import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CohortflowError, messageOf } from '../../domain/errors.js';

const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EISDIR', 'ELOOP']);
const NOT_ALLOWED = new Set(['EACCES', 'EPERM', 'EROFS']);
const NO_SPACE = new Set(['ENOSPC', 'EDQUOT']);

function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** True when the operating system says that nothing is at the path. */
export function isNotFound(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** True when a name that had to be new is taken. */
export function isTaken(error: unknown): boolean {
  return systemCode(error) === 'EEXIST';
}

/** True when a file is too large for one read. */
export function isTooLarge(error: unknown): boolean {
  return systemCode(error) === 'ERR_FS_FILE_TOO_LARGE';
}

/**
 * Translates what the operating system said about a path into the catalogue: `FileNotFound` (nothing there, or not readable),
 * `DiskFull`, else `IoError`. Errors that are already coded, and aborts, pass unchanged.
 */
export function ioError(error: unknown, path: string, doing: string): unknown {
  if (error instanceof CohortflowError) return error;
  if (error instanceof Error && error.name === 'AbortError') return error;
  const code = systemCode(error);
  if (code !== undefined && NOT_THERE.has(code)) {
    const what = code === 'ENOENT' || code === 'ENOTDIR' ? 'nothing is there' : `the system says ${code}`;
    return new CohortflowError('FileNotFound', `${doing} ${path}: ${what}`, {}, error);
  }
  if (code !== undefined && NO_SPACE.has(code)) {
    return new CohortflowError('DiskFull', `${doing} ${path}: no space left`, {}, error);
  }
  // A damaged gzip stream is a fault of the file: reading it again will not help, but the caller knows what file it is.
  const damaged = code?.startsWith('Z_') === true ? 'the gzip stream is damaged or cut off' : undefined;
  return new CohortflowError(
    'IoError',
    `${doing} ${path}: ${damaged ?? code ?? messageOf(error)}`,
    { damaged: damaged !== undefined },
    error,
  );
}

/** True when what exists of a path, the folder or the nearest one above it, cannot be written to. */
export async function isUnwritable(path: string): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    try {
      await access(at, constants.W_OK);
      return false;
    } catch (error) {
      if (!isNotFound(error)) return NOT_ALLOWED.has(systemCode(error) ?? '');
      if (at === dirname(at)) return false;
    }
  }
}

/**
 * {@link ioError} of something that changes what is at a path: `NotWritable` where the system does not let us. A place that
 * becomes so is a fault of the environment, and not of the case that meets it.
 */
export async function writeError(error: unknown, path: string, doing: string): Promise<unknown> {
  const code = systemCode(error);
  // Of a folder to be made below one that is read-only Node says that it is not there.
  const refused = code !== undefined && (NOT_ALLOWED.has(code) || (isNotFound(error) && (await isUnwritable(path))));
  if (!refused || error instanceof CohortflowError) return ioError(error, path, doing);
  return new CohortflowError('NotWritable', `${doing} ${path}: the system says ${code}`, {}, error);
}
