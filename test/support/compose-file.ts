import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';

/** A service of docker-compose.yml, as far as tests look at it. */
export interface ComposeService {
  readonly image: string;
  readonly build?: { readonly context: string; readonly target: string };
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string; readonly required?: boolean }>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly ports?: readonly string[];
  readonly volumes?: readonly (string | { readonly type: string; readonly source: string; readonly target: string })[];
  readonly restart?: string;
  readonly network_mode?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly stop_grace_period?: string;
  readonly profiles?: readonly string[];
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, null>>;
  readonly configs: Readonly<Record<string, { readonly content: string }>>;
}

const readText = (path: string): string => readFileSync(join(PACKAGE_ROOT, path), 'utf8');

/** docker-compose.yml with its anchors and merges resolved, and nothing of the environment. */
export function composeFile(): ComposeFile {
  return parse(readText('docker-compose.yml'), { merge: true }) as ComposeFile;
}

/** What docker-compose.yml takes from the environment of whoever starts it, and whether it wants it. */
export function composeVariables(): ReadonlyMap<string, 'required' | 'optional'> {
  const text = readText('docker-compose.yml')
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n');
  const variables = new Map<string, 'required' | 'optional'>();
  for (const { environment = {} } of Object.values(composeFile().services)) {
    for (const [name, value] of Object.entries(environment)) if (value === null) variables.set(name, 'optional');
  }
  // `$$` is a dollar sign of the container's own.
  for (const [, name = '', how = ''] of text.replaceAll('$$', '').matchAll(/\$\{?([A-Z_]+)([^}]*)/g)) {
    variables.set(name, how.startsWith(':?') ? 'required' : 'optional');
  }
  return variables;
}

/** One stage of the Dockerfile. */
export interface ImageStage {
  readonly name: string;
  readonly from: string;
  readonly lines: readonly string[];
}

/** The stages of the Dockerfile by name, instructions on one line each. */
export function imageStages(): ReadonlyMap<string, ImageStage> {
  const stages = new Map<string, ImageStage & { readonly lines: string[] }>();
  let current: string[] = [];
  for (const line of readText('Dockerfile')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')) {
    const [, from = '', name] = /^FROM (\S+) AS (\S+)$/.exec(line) ?? [];
    if (name === undefined) current.push(line);
    else {
      current = [];
      stages.set(name, { name, from, lines: current });
    }
  }
  return stages;
}
