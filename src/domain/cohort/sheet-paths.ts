const URI = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//;

/** True for `s3://…` and every other URI. */
export function isUri(path: string): boolean {
  return URI.test(path);
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
