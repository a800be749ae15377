import { CohortflowError, messageOf } from '../../domain/errors.js';

const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'EISDIR', 'ELOOP']);
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
