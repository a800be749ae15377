const URI = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//;

/** True for `s3://…` and every other URI. */
export function isUri(path: string): boolean {
  return URI.test(path);
}

/** `s3:/bucket`, `s3:bucket` and `S3://bucket` would be folders of this machine. */
const MEANT_S3 = /^s3:/i;
const S3 = /^s3:\/\//;
const S3_WITH_BUCKET = /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/|$)/;

/**
 * Why nothing is or can be made where a path says, though it was meant for a place in S3 or elsewhere; undefined for paths of
 * this machine, `file://` and `s3://bucket/…`. A folder whose name begins with `s3:` is given as `./s3:…`.
 */
export function placeFault(path: string): string | undefined {
  if (S3.test(path)) {
    return S3_WITH_BUCKET.test(path) ? undefined : 'the URI has no valid bucket name (s3://bucket/folder)';
  }
  if (MEANT_S3.test(path)) return 'a place in S3 is written s3://bucket/folder, in small letters and with two slashes';
  if (isUri(path) && !path.startsWith('file://')) return 'only paths of this machine and s3:// URIs can be read';
  return undefined;
}

/** Finds what {@link normalise} would change: empty, `.` and `..` parts, slashes at the ends. */
const UNTIDY = /^\/|\/$|\/\/|(?:^|\/)\.{1,2}(?:\/|$)/;

/** Removes `.` and resolves `..` in the part after the root; never climbs above it. */
function normalise(path: string): string {
  if (!UNTIDY.test(path)) return path;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

/** Folder of a path or URI: the sheet's own place is the base of its relative paths. */
export function folderOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut <= 0 ? '/' : path.slice(0, cut);
}

/**
 * Makes a path of the sheet absolute: relative ones are taken from `base` (an absolute folder or an `s3://bucket/folder`
 * URI); URIs and absolute paths stay, `file://` becomes a path. `.` and `..` are resolved; a trailing slash is kept for
 * S3 prefixes only, where it means something.
 */
export function resolvePath(value: string, base: string): string {
  if (value.startsWith('file://')) return `/${normalise(decodeURIComponent(value.slice('file://'.length)))}`;
  if (isUri(value)) return value;
  if (value.startsWith('/')) return `/${normalise(value.slice(1))}`;
  if (!isUri(base)) return `/${normalise(`${base.slice(1)}/${value}`)}`;
  const [, scheme = '', bucket = '', folder = ''] = /^([^:]+:\/\/)([^/]*)(.*)$/.exec(base) ?? [];
  const key = normalise(`${folder.slice(1)}/${value}`);
  return `${scheme}${bucket}/${key}${value.endsWith('/') ? '/' : ''}`;
}

/** What a message may show of a path: its last part, without what looks like a DICOM UID. The user wrote the rest. */
export function shownPath(path: string): string {
  const last = path.replace(/\/+$/, '').split('/').at(-1) ?? '';
  return last.replace(/\d+(?:\.\d+)+/g, (dotted) => (dotted.length >= 10 ? '…' : dotted));
}

/** True when the name ends in one of the endings, whatever the case. */
export function endsInOneOf(path: string, endings: readonly string[]): boolean {
  const lower = path.toLowerCase();
  return endings.some((ending) => lower.endsWith(ending));
}
