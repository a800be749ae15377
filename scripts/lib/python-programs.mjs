// Python programs that tests need, each set kept in a virtual environment of ours.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onPath, quietly } from './console.mjs';
import { product } from './product.mjs';
import { ensurePythonVenv } from './system-packages.mjs';

function hasVenv(python) {
  return spawnSync(python, ['-c', 'import ensurepip, venv'], { stdio: 'ignore' }).status === 0;
}

/**
 * Path of a program in our cache, where its packages are put the first time (about a minute). Undefined with a reason when it
 * cannot be had; the tests that need it then skip.
 *
 * @param folder name of its virtual environment, with the versions in it
 */
export async function obtainPythonProgram(program, folder, packages) {
  const { loadConfig } = await product('config/load-config.js');
  const environment = join(loadConfig().cacheFolder, folder);
  const path = join(environment, 'bin', program);
  if (existsSync(path)) return { path };
  const python = onPath('python3');
  if (python === undefined || !hasVenv(python)) await ensurePythonVenv();
  const found = onPath('python3');
  if (found === undefined || !hasVenv(found)) return { reason: 'Python 3 with venv is not here' };
  const pip = join(environment, 'bin', 'pip');
  const made =
    (await quietly(`making a virtual environment for ${program}`, found, ['-m', 'venv', environment])) &&
    (await quietly(`fetching ${program}, for tests`, pip, ['install', '--no-input', '--quiet', ...packages]));
  if (made && existsSync(path)) return { path };
  rmSync(environment, { recursive: true, force: true });
  return { reason: 'pip could not install it' };
}
