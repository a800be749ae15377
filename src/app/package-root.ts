import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) throw new Error('cohortflow: package.json was not found above this module');
  }
}

/** The folder of this installation's package.json: the same from `src/` under a test runner and from `dist/`. */
export const PACKAGE_ROOT = findRoot();

/** A compiled module of this installation, by its path below `dist/`: what child processes and the bundler are given. */
export function distPath(relative: string): string {
  return join(PACKAGE_ROOT, 'dist', relative);
}

/** The version of this installation. */
export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
