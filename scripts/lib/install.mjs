// Node and the packages of package-lock.json. Zero dependencies: this runs before anything is installed.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quietly, say } from './console.mjs';
import { ROOT } from './product.mjs';

const OLDEST_NODE = [20, 19];

/** True when this Node can run the product; else says which one to install. */
export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return true;
  say(
    `This is Node ${version}; cohortflow needs ${OLDEST_NODE.join('.')} or later (https://nodejs.org, or nvm install 22).`,
  );
  return false;
}

function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/**
 * What of the lock is not installed as the lock says. npm records what it installed in `node_modules/.package-lock.json`;
 * optional packages are left out because most are for other machines.
 */
export function outOfDate(lock, installed) {
  const there = installed?.packages ?? {};
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && entry.optional !== true)
    .filter(([path, entry]) => there[path]?.version !== entry.version)
    .map(([path]) => path);
}

/** Installs what package-lock.json lists, if anything of it is missing. Returns true when all is in place. */
export async function installPackages() {
  const lock = readJson(join(ROOT, 'package-lock.json'));
  const missing = outOfDate(lock, readJson(join(ROOT, 'node_modules', '.package-lock.json')));
  if (missing.length === 0) return true;
  // Under NODE_ENV=production npm leaves out what the build and the tests need; hooks may be switched off, and none is
  // needed: every native package brings its binary.
  const done = await quietly(
    `installing ${missing.length} packages (npm ci)`,
    'npm',
    ['ci', '--include=dev', '--no-audit', '--no-fund'],
    { cwd: ROOT, shell: process.platform === 'win32' },
  );
  if (!done) say('The packages could not be installed: check that npm reaches its registry, then start again.');
  return done;
}
