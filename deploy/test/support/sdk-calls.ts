import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The product's checkout. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** A call of the SDK that the product's code makes. */
export interface SdkCall {
  /** `src/…`, with slashes. */
  readonly file: string;
  /** As in `@aws-sdk/client-s3`: `s3`. */
  readonly service: string;
  /** `PutObject`; `Upload` for the one of lib-storage. */
  readonly command: string;
}

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

export function sourceFiles(folder = 'src'): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .map((name) => posix.join(folder, String(name).replaceAll('\\', '/')))
    .filter((name) => name.endsWith('.ts'))
    .sort();
}

const MADE = /\bnew\s+(?:\w+\.)?([A-Z]\w*Command|Upload)\s*\(/g;
const CLIENT = /['"]@aws-sdk\/(?:client-([a-z0-9-]+)|lib-(storage))['"]/g;
/** Files that use commands which another file imports for them. */
const BORROWED: Readonly<Record<string, string>> = { './s3-client.js': 's3' };

/** The service of each command of a file. */
function serviceOf(file: string, text: string, command: string, sources: readonly string[]): string {
  if (command === 'Upload') return 's3';
  const own = sources.filter((name) => name !== 'storage');
  const borrowed = Object.entries(BORROWED).flatMap(([path, service]) => (text.includes(`'${path}'`) ? [service] : []));
  const candidates = own.length > 0 ? own : borrowed;
  if (candidates.length === 1) return candidates[0] ?? '';
  // Several clients in one file: the last one imported before the call is the call's.
  const at = text.search(new RegExp(`new\\s+(?:\\w+\\.)?${command}\\s*\\(`));
  const before = [...text.slice(0, at).matchAll(/await import\(\s*'@aws-sdk\/client-([a-z0-9-]+)'/g)].at(-1)?.[1];
  if (before === undefined) throw new Error(`${file}: the service of ${command} cannot be told from its imports`);
  return before;
}

/** Every call of the SDK in `src/`. */
export function sdkCalls(): readonly SdkCall[] {
  const calls = new Map<string, SdkCall>();
  for (const file of sourceFiles()) {
    const text = read(file);
    const commands = [...text.matchAll(MADE)].map(([, name = '']) => name);
    if (commands.length === 0) continue;
    const sources = [...new Set([...text.matchAll(CLIENT)].map(([, client, lib]) => client ?? lib ?? ''))];
    if (sources.length === 0 && !Object.keys(BORROWED).some((path) => text.includes(`'${path}'`))) continue;
    // One name may be two services' in a file (`DescribeImages` of EC2 and of ECR never share one).
    for (const name of commands) {
      const service = serviceOf(file, text, name, sources);
      const command = name.replace(/Command$/, '');
      calls.set(`${file} ${service} ${command}`, { file, service, command });
    }
  }
  return [...calls.values()];
}

/** `service command` of the AWS CLI that the scripts of machines use. */
export function cliCalls(): readonly string[] {
  const found = new Set<string>();
  for (const file of [...sourceFiles('src/domain/genomics/dragen'), ...sourceFiles('src/adapters/aws/dragen')]) {
    const text = read(file);
    for (const [, service, command] of text.matchAll(/\baws (s3|s3api|ec2|ssm|secretsmanager) ([a-z][a-z-]+)/g)) {
      found.add(`${service} ${command}`);
    }
    for (const [, service, command] of text.matchAll(/\['aws', '([a-z0-9]+)', '([a-z-]+)'/g)) {
      found.add(`${service} ${command}`);
    }
  }
  return [...found].sort();
}

const IMPORTS = /(?:^|\n)\s*(?:import|export)\s+(?!type\b)[^;]*?from\s+'(\.[^']+)'|import\(\s*'(\.[^']+)'\s*\)/g;

/** Files that can be reached from some by what they import as values. */
export function reachableFrom(entries: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const todo = [...entries];
  for (let file = todo.pop(); file !== undefined; file = todo.pop()) {
    if (seen.has(file) || !existsSync(join(ROOT, file))) continue;
    seen.add(file);
    for (const [, fixed, lazy] of read(file).matchAll(IMPORTS)) {
      todo.push(posix.join(posix.dirname(file), (fixed ?? lazy ?? '').replace(/\.js$/, '.ts')));
    }
  }
  return seen;
}
