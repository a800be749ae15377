// dist/ from src/, only when something changed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { quietly, say } from './console.mjs';
import { product, ROOT } from './product.mjs';

const STAMP = join(ROOT, '.cache', 'build-stamp');
const BUILD_INFO = join(ROOT, '.cache', 'tsconfig.build.tsbuildinfo');
const DIST = join(ROOT, 'dist');
const BUNDLES = join(DIST, 'workflow-bundles');

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** One hash over everything that decides what is compiled. */
function fingerprint() {
  const hash = createHash('sha256');
  const inputs = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json'].map((name) => join(ROOT, name));
  for (const path of [...inputs, ...filesBelow(join(ROOT, 'src'))]) {
    hash
      .update(`${relative(ROOT, path)}\0`)
      .update(readFileSync(path))
      .update('\0');
  }
  return hash.digest('hex');
}

/** Removes compiled files whose source is gone: the compiler leaves them, and they would be packed. */
function removeOrphans() {
  for (const path of filesBelow(DIST)) {
    if (path.startsWith(BUNDLES)) continue;
    const source = join(ROOT, 'src', relative(DIST, path)).replace(/(\.d)?\.(js|ts)(\.map)?$/, '.ts');
    if (!existsSync(source)) rmSync(path);
  }
}

/** Compiles when the sources are not those of the last build. Returns true when dist/ is current. */
export async function build() {
  const current = fingerprint();
  const entry = join(DIST, 'cli', 'main.js');
  if (existsSync(entry) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === current) return true;
  rmSync(STAMP, { force: true });
  // The compiler believes its notes about what it wrote, even when dist/ was deleted.
  if (!existsSync(entry)) rmSync(BUILD_INFO, { force: true });
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const done = await quietly('building', process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: ROOT });
  if (!done) {
    say('The build failed: the errors are above.');
    return false;
  }
  removeOrphans();
  const { prebuildWorkflowBundles } = await product('workers/workflow-bundle.js');
  await prebuildWorkflowBundles();
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, current);
  return true;
}
