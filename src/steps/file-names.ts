/** The last part of a path: what messages show. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
