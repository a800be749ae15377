import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { CohortflowError, messageOf } from '../domain/errors.js';
import { awsSettingsFault, type AwsSettings } from './aws-settings.js';
import { LOG_LEVELS, SETTINGS, WORKER_ROLES, type Config } from './config.js';
import { slotsOf, thisMachine } from './machine.js';

type Environment = Readonly<Record<string, string | undefined>>;
type Key = keyof Config;
type Value = Config[Key];

const KEYS = Object.keys(SETTINGS) as Key[];
const FILE_NAME = 'cohortflow.yaml';

/** All defaults in one literal; slots depend on the machine, and on each other when some of them are given. */
function defaults(environment: Environment, jobs: number | undefined): Config {
  const home = homedir();
  return {
    stateFolder: join(environment['XDG_STATE_HOME'] ?? join(home, '.local', 'state'), 'cohortflow'),
    cacheFolder: join(environment['XDG_CACHE_HOME'] ?? join(home, '.cache'), 'cohortflow'),
    ...slotsOf(thisMachine(), jobs),
    taskQueue: 'cohortflow',
    roles: WORKER_ROLES,
    workflowTasks: 40,
    fileActivities: 20,
    // A container service ends a task 120 s after SIGTERM at the latest: this, and the time to let go of what is left.
    shutdownGrace: 90,
    healthPort: 'off',
    metricsPort: 'off',
    logLevel: 'INFO',
    remoteWork: 500,
    aws: {},
  };
}

function refuse(where: string, found: unknown, wanted: string): never {
  throw new CohortflowError('InvalidInput', `${where}: found ${JSON.stringify(found)}, wanted ${wanted}`);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value)
    ? (value as unknown[])
    : String(value)
        .split(',')
        .map((part) => part.trim());
}

/** A port alone listens on all interfaces: a probe or a scraper comes from outside the container. */
function listen(value: unknown): Value | undefined {
  if (value === 'off' || value === false) return 'off';
  const [, host = '', digits = ''] = /^(?:(.*):)?(\d+)$/.exec(String(value)) ?? [];
  const port = Number(digits);
  return digits === '' || port < 1 || port > 65_535 ? undefined : `${host === '' ? '0.0.0.0' : host}:${port}`;
}

/** What each kind of setting must be, and how it is read; undefined for what it is not. */
const KINDS = {
  folder: {
    wanted: 'a text',
    read: (value) => (typeof value === 'string' && value !== '' ? resolve(value) : undefined),
  },
  text: { wanted: 'a text', read: (value) => (typeof value === 'string' && value !== '' ? value : undefined) },
  count: {
    wanted: 'a whole number from 1',
    read: (value) => {
      const count = typeof value === 'string' ? Number(value) : value;
      return typeof count === 'number' && Number.isInteger(count) && count >= 1 ? count : undefined;
    },
  },
  roles: {
    wanted: `all, or some of ${WORKER_ROLES.join(', ')}`,
    read: (value) => {
      const named = listOf(value);
      if (named.length === 0 || named.some((name) => name !== 'all' && !WORKER_ROLES.some((role) => role === name)))
        return undefined;
      return WORKER_ROLES.filter((role) => named.includes('all') || named.includes(role));
    },
  },
  listen: { wanted: 'off, a port, or host:port', read: listen },
  level: {
    wanted: `one of ${LOG_LEVELS.join(', ')}`,
    read: (value) => LOG_LEVELS.find((level) => level === String(value).toUpperCase()),
  },
} satisfies Record<
  Exclude<(typeof SETTINGS)[Key]['kind'], 'aws'>,
  { wanted: string; read(value: unknown): Value | undefined }
>;

/** A mapping, or (from the environment) its text as YAML or JSON. */
function awsSettings(value: unknown, where: string): AwsSettings {
  let document = value;
  if (typeof value === 'string') {
    try {
      document = parse(value);
    } catch (error) {
      throw new CohortflowError('InvalidInput', `${where}: not readable as YAML or JSON (${messageOf(error)})`);
    }
  }
  const fault = awsSettingsFault(document);
  if (fault !== undefined) throw new CohortflowError('InvalidInput', `${where}: ${fault}`);
  return document as AwsSettings;
}

function read(key: Key, value: unknown, where: string): Value {
  const { kind } = SETTINGS[key];
  if (kind === 'aws') return awsSettings(value, where);
  const { wanted, read: reading } = KINDS[kind];
  return reading(value) ?? refuse(where, value, wanted);
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
  const given: Partial<Record<Key, Value>> = {};
  for (const key of KEYS) {
    const { environment: variable } = SETTINGS[key];
    if (file[key] !== undefined) given[key] = read(key, file[key], `${path}, ${key}`);
    if (environment[variable] !== undefined) given[key] = read(key, environment[variable], variable);
    if (flags[key] !== undefined) given[key] = read(key, flags[key], `--${key}`);
  }
  const chosen = { ...defaults(environment, given.jobs as number | undefined), ...given };
  return Object.freeze(chosen) as Config;
}
