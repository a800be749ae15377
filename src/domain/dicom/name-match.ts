/**
 * Which of several names a request means: an exact match ignoring case first; else, when it holds `*` or `?`, a glob over
 * the whole name; else a regular expression found anywhere in the name. Ignoring case throughout. A request that is no
 * valid expression matches nothing but itself.
 *
 * @returns indices into `names`, in order
 */
export function matchNames(names: readonly string[], request: string): number[] {
  const wanted = request.trim().toLowerCase();
  const indices = (test: (name: string) => boolean): number[] =>
    names.flatMap((name, at) => (test(name.trim()) ? [at] : []));
  const exact = indices((name) => name.toLowerCase() === wanted);
  if (exact.length > 0 || wanted === '') return exact;
  // A glob only where the request could not be meant as an expression: `.*` and `GTV.?` are expressions.
  if (/[*?]/.test(request) && !/[.^$()[\]|+\\{}]/.test(request)) {
    const pattern = request.trim().replace(/[-/]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.');
    const glob = new RegExp(`^${pattern}$`, 'i');
    return indices((name) => glob.test(name));
  }
  try {
    const expression = new RegExp(request.trim(), 'i');
    return indices((name) => expression.test(name));
  } catch {
    return [];
  }
}

/** Names for a message: quoted, at most `limit` of them. */
export function listNames(names: readonly string[], limit = 12): string {
  const shown = names.slice(0, limit).map((name) => `"${name}"`);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/**
 * File names for segments: letters, digits, dot, dash and underscore kept, anything else a dash, at most 64 characters;
 * names that would collide (also ignoring case) get `-2`, `-3`, ….
 */
export function safeNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const stem =
      name
        .normalize('NFKD')
        .replace(/[^A-Za-z0-9._-]+/g, '-')
        .replace(/^[-.]+|[-.]+$/g, '')
        .slice(0, 64) || 'segment';
    let free = stem;
    for (let count = 2; taken.has(free.toLowerCase()); count++) free = `${stem}-${count}`;
    taken.add(free.toLowerCase());
    return free;
  });
}
