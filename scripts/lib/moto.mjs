// moto: AWS's S3, KMS and a few more in memory, for the tests, and the AWS CLI beside it. Python programs, kept in a virtual environment of ours.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { onPath, quietly } from './console.mjs';
import { product } from './product.mjs';
import { ensurePythonVenv } from './system-packages.mjs';

// With the AWS CLI, which machines of the tests call: one environment, so that both agree about what they share.
const PACKAGES = ['moto[server]==5.2.5', 'awscli==1.46.3'];

function hasVenv(python) {
  return spawnSync(python, ['-c', 'import ensurepip, venv'], { stdio: 'ignore' }).status === 0;
}

/**
 * Path of `moto_server`: the one that COHORTFLOW_TEST_MOTO names, on PATH, or in our cache, where it is put the first time
 * (about a minute). Undefined with a reason when it cannot be had; the tests that need it then skip.
 */
export async function obtainMoto() {
  const named = process.env.COHORTFLOW_TEST_MOTO ?? onPath('moto_server');
  if (named !== undefined && existsSync(named)) return { path: named };
  const { loadConfig } = await product('config/load-config.js');
  const folder = join(loadConfig().cacheFolder, 'moto-5.2.5-aws-1.46.3');
  const path = join(folder, 'bin', 'moto_server');
  if (existsSync(path)) return { path };
  const python = onPath('python3');
  if (python === undefined || !hasVenv(python)) await ensurePythonVenv();
  const found = onPath('python3');
  if (found === undefined || !hasVenv(found)) return { reason: 'Python 3 with venv is not here' };
  const pip = join(folder, 'bin', 'pip');
  const made =
    (await quietly('making a virtual environment for moto', found, ['-m', 'venv', folder])) &&
    (await quietly('fetching moto (AWS in memory, for tests)', pip, ['install', '--no-input', '--quiet', ...PACKAGES]));
  if (made && existsSync(path)) return { path };
  rmSync(folder, { recursive: true, force: true });
  return { reason: 'pip could not install it' };
}
