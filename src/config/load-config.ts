import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, homedir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { CohortflowError, messageOf } from '../domain/errors.js';
import { SETTINGS, type Config } from './config.js';

type Environment = Readonly<Record<string, string | undefined>>;
type Key = keyof Config;

const KEYS = Object.keys(SETTINGS) as Key[];
const FILE_NAME = 'cohortflow.yaml';

/** All defaults in one literal; two of them depend on the machine. */
function defaults(environment: Environment): Config {
  const home = homedir();
  const jobs = availableParallelism();
  return {
    stateFolder: join(environment['XDG_STATE_HOME'] ?? join(home, '.local', 'state'), 'cohortflow'),
    cacheFolder: join(environment['XDG_CACHE_HOME'] ?? join(home, '.cache'), 'cohortflow'),
    jobs,
    // A quarter is left to the server, the worker itself and the system.
    memoryPerJobMb: Math.max(1024, Math.floor((totalmem() / 2 ** 20 / jobs) * 0.75)),
    taskQueue: 'cohortflow',
  };
}

function refuse(where: string, found: unknown, wanted: string): never {
  throw new CohortflowError('InvalidInput', `${where}: found ${JSON.stringify(found)}, wanted ${wanted}`);
}

function read(key: Key, value: unknown, where: string): string | number {
  if (SETTINGS[key].kind === 'text') {
    if (typeof value !== 'string' || value === '') refuse(where, value, 'a text');
    return key === 'taskQueue' ? value : resolve(value);
  }
  const count = typeof value === 'string' ? Number(value) : value;
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1) refuse(where, value, 'a whole number from 1');
  return count;
}

function fromFile(path: string): Record<string, unknown> {
  let document: unknown;
  try {
    document = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CohortflowError('InvalidInput', `${path}: not readable as YAML (${messageOf(error)})`);
  }
  if (document === null || document === undefined) return {};
  if (typeof document !== 'object' || Array.isArray(document)) refuse(path, document, 'a mapping of settings');
  const unknown = Object.keys(document).filter((key) => !Object.hasOwn(SETTINGS, key));
  if (unknown.length > 0) refuse(path, unknown, `only these settings: ${KEYS.join(', ')}`);
  return document as Record<string, unknown>;
}

/**
 * The settings in force, frozen: defaults, then `cohortflow.yaml` (of the working folder, or the file that
 * `COHORTFLOW_CONFIG` names), then the environment, then `flags`.
 *
 * @throws CohortflowError `InvalidInput` naming the file or variable, what was found and what is wanted.
 */
export function loadConfig(environment: Environment = process.env, flags: Partial<Config> = {}): Config {
  const named = environment['COHORTFLOW_CONFIG'];
  const path = named ?? FILE_NAME;
  if (named !== undefined && !existsSync(named)) {
    throw new CohortflowError('FileNotFound', `COHORTFLOW_CONFIG names ${named}: nothing is there`);
  }
  const file = existsSync(path) ? fromFile(path) : {};
  const chosen: Record<string, string | number> = { ...defaults(environment) };
  for (const key of KEYS) {
    const { environment: variable } = SETTINGS[key];
    if (file[key] !== undefined) chosen[key] = read(key, file[key], `${path}, ${key}`);
    if (environment[variable] !== undefined) chosen[key] = read(key, environment[variable], variable);
    if (flags[key] !== undefined) chosen[key] = read(key, flags[key], `--${key}`);
  }
  return Object.freeze(chosen) as unknown as Config;
}
