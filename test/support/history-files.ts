import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PACKAGE_ROOT } from '../../src/app/package-root.js';

const FOLDER = join(PACKAGE_ROOT, 'test', 'fixtures', 'histories');

/** A history as a JSON document; what its values hold is the server's business. */
export type HistoryJson = { readonly events: readonly Readonly<Record<string, unknown>>[] };

/** Values that name the machine a history was recorded on, by their key. */
const MACHINE: Readonly<Record<string, string>> = { identity: 'worker', stackTrace: '' };

/** A history without its machine: identities, stacks, and the sticky queues that are named after workers. */
function anonymous(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(anonymous);
  if (typeof value === 'string') return value.replace(/^\d+@.*/, 'worker');
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, MACHINE[key] ?? anonymous(item)]));
}

/** Writes the history of a closed workflow, as the Temporal CLI shows it, beside those that the replay test reads. */
export async function saveHistory(name: string, cli: string, address: string, id: string, runId = ''): Promise<void> {
  const run = runId === '' ? [] : ['--run-id', runId];
  const args = ['workflow', 'show', '--address', address, '--workflow-id', id, ...run, '-o', 'json'];
  const { stdout } = await promisify(execFile)(cli, args, { maxBuffer: 1 << 28 });
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, `${name}.json`), `${JSON.stringify(anonymous(JSON.parse(stdout)))}\n`);
}

/** The committed histories by name. */
export function savedHistories(): ReadonlyMap<string, HistoryJson> {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  return new Map(
    names.map((name) => [
      name.replace(/\.json$/, ''),
      JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as HistoryJson,
    ]),
  );
}

type FromJson = (type: unknown, document: unknown, options: { readonly ignoreUnknownFields: boolean }) => unknown;

/**
 * A history as the SDK's replay takes it. The SDK's own reading of JSON needs one copy of protobufjs, and npm installs
 * several (another of our dependencies wants an older one): this one asks the copy that the message types come from.
 */
export function parseHistory(history: HistoryJson): unknown {
  const require = createRequire(import.meta.url);
  const beside = createRequire(require.resolve('@temporalio/proto'));
  const { fromJson } = beside('protobufjs/ext/protojson') as { readonly fromJson: FromJson };
  const root = beside('./root') as { lookupType(name: string): unknown };
  return fromJson(root.lookupType('temporal.api.history.v1.History'), history, { ignoreUnknownFields: true });
}
