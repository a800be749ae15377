import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHECKOUT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const announced = new Set<string>();

/**
 * Absolute path of something in the team's shared data (`../shared/data` beside the checkout), or undefined where it is
 * not present: the caller then skips (`describe.skipIf`), and the skip is printed once with its reason.
 */
export function sharedData(relative: string): string | undefined {
  const path = join(CHECKOUT, '..', 'shared', 'data', relative);
  if (existsSync(path)) return path;
  if (!announced.has(relative)) {
    announced.add(relative);
    console.warn(`skipped: shared data not present (${relative})`);
  }
  return undefined;
}
