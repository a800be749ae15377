import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Root of the checkout. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** A compiled module of the product, by its path below `dist/`; imported late, since scripts run before the build. */
export function product(relative) {
  return import(pathToFileURL(join(ROOT, 'dist', relative)).href);
}
