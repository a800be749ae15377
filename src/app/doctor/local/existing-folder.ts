import { existsSync } from 'node:fs';
import { dirname } from 'node:path';

/** The folder itself, or the nearest above it that is there: looking at a place must not make it. */
export function existingFolder(folder: string): string {
  let at = folder;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  return at;
}
