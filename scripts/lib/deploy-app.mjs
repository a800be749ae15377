// The CDK app in deploy/: a package of its own, which the product does without. Its packages are fetched for its tests only.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onPath, quietly } from './console.mjs';
import { outOfDate } from './install.mjs';
import { ROOT } from './product.mjs';
import { obtainPythonProgram } from './python-programs.mjs';

export const DEPLOY = join(ROOT, 'deploy');

const readJson = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined);

/** What of the app's packages is missing; those that only its command line needs do not count. */
export function missingPackages(lock, installed) {
  const needed = Object.entries(lock.packages).filter(([, entry]) => entry.dev !== true);
  return outOfDate({ packages: Object.fromEntries(needed) }, installed);
}

/** Installs the app's packages where something is missing. Undefined when all is there, else why not. */
export async function obtainDeployPackages() {
  const lock = readJson(join(DEPLOY, 'package-lock.json'));
  const missing = missingPackages(lock, readJson(join(DEPLOY, 'node_modules', '.package-lock.json')));
  if (missing.length === 0) return undefined;
  const args = ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'];
  const options = { cwd: DEPLOY, shell: process.platform === 'win32' };
  const done = await quietly(`installing ${missing.length} packages of deploy/ (npm ci)`, 'npm', args, options);
  return done ? undefined : 'the packages of deploy/ could not be installed';
}

/** Its findings change with its version: what an older one does not know of CloudFormation it takes for a mistake. */
const CFN_LINT = '1.58.0';

function isOurs(path) {
  if (path === undefined || !existsSync(path)) return false;
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return status === 0 && stdout.trim().split(' ').at(-1) === CFN_LINT;
}

/** cfn-lint: the one that COHORTFLOW_TEST_CFN_LINT names; of the right version beside moto (which needs it) or on PATH; or ours. */
export async function obtainCfnLint(motoServer) {
  const { COHORTFLOW_TEST_CFN_LINT: named } = process.env;
  if (named !== undefined && existsSync(named)) return { path: named };
  const beside = motoServer === undefined ? undefined : join(dirname(motoServer), 'cfn-lint');
  const path = [beside, onPath('cfn-lint')].find(isOurs);
  if (path !== undefined) return { path };
  return obtainPythonProgram('cfn-lint', `cfn-lint-${CFN_LINT}`, [`cfn-lint==${CFN_LINT}`]);
}
