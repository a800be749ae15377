import { layout } from '../contracts/layout.js';
import { CohortflowError } from '../domain/errors.js';
import { mapBounded } from '../domain/map-bounded.js';
import type { Files } from '../ports/files.js';
import type { ServerIdentity } from '../ports/cohort-server.js';
import type { RunLedger, RunOwner } from '../ports/run-ledger.js';

/** What a removable thing is. */
export type RemovableKind =
  | 'records of an earlier run'
  | 'pages of an earlier run'
  | 'logs of an earlier run'
  | 'leftover of a killed step'
  | 'half-written file'
  | 'hashes of paths that are gone'
  | 'workflow bundle of another build'
  | 'results'
  | 'records of a feature group'
  | 'files that a feature group points to'
  | 'what jobs read and left'
  | 'hash table of DRAGEN';

/** Something that nobody needs any more; several paths of one kind may be one entry. */
export interface Removable {
  readonly kind: RemovableKind;
  /** Where it lies: what is removed, or the folder that the removed files are in. */
  readonly path: string;
  readonly files: number;
  readonly bytes: number;
  readonly remove: readonly string[];
}

/** After its end is written a run still renders its report. */
const SURELY_OVER_MS = 3_600_000;

/** A shared step's private folder that was not touched for so long belongs to nobody. */
const FORSAKEN_MS = 24 * 3_600_000;

const LOOKS_AT_ONCE = 16;

/** `.<16 hexadecimal digits>.part`: what a write leaves beside its file when the process is killed. */
const HALF_WRITTEN = /^\.[0-9a-f]{16}\.part$/;

/** Files and bytes at or below a path. */
async function sizeOf(files: Files, path: string): Promise<{ files: number; bytes: number }> {
  const entry = await files.stat(path);
  if (entry === undefined) return { files: 0, bytes: 0 };
  if (entry.kind === 'file') return { files: 1, bytes: entry.size };
  const total = { files: 0, bytes: 0 };
  for (const below of await files.list(path)) {
    const found = below.kind === 'file' ? { files: 1, bytes: below.size } : await sizeOf(files, below.path);
    total.files += found.files;
    total.bytes += found.bytes;
  }
  return total;
}

async function removable(files: Files, kind: RemovableKind, path: string): Promise<Removable> {
  return { kind, path, ...(await sizeOf(files, path)), remove: [path] };
}

/** Several files of one folder as one entry; none when there are no files. */
export async function together(
  files: Files,
  kind: RemovableKind,
  folder: string,
  paths: readonly string[],
): Promise<Removable[]> {
  if (paths.length === 0) return [];
  const sizes = await mapBounded(paths, LOOKS_AT_ONCE, (path) => sizeOf(files, path));
  const total = (name: 'files' | 'bytes'): number => sizes.reduce((sum, size) => sum + size[name], 0);
  return [{ kind, path: folder, files: total('files'), bytes: total('bytes'), remove: paths }];
}

/** Asks whether a run is open; throws `OutputBusy` for one on another server, which cannot be asked. */
type IsOpen = (workflowId: string, runId: string, server?: ServerIdentity) => Promise<boolean>;

/** What cleaning an output folder needs. */
export interface CleanServices {
  readonly files: Files;
  readonly ledger: RunLedger;
  /** Asked only when the last run may not be over. */
  readonly isOpen: IsOpen;
}

/** Throws `OutputBusy` while a workflow may be writing into the folder. */
export async function refuseOpenRun(owner: RunOwner | undefined, isOpen: IsOpen, now: number): Promise<void> {
  if (owner === undefined) return;
  const { workflowId, runId, state, endedAt, server } = owner;
  const over = state !== 'running' && now - Date.parse(endedAt ?? '') > SURELY_OVER_MS;
  // One that has written its end is asked after for its report alone: where it cannot be, that is no matter.
  const asked = state === 'running' ? server : undefined;
  if (over || !(await isOpen(workflowId, runId, asked))) return;
  throw new CohortflowError('OutputBusy', `the output folder belongs to workflow ${workflowId}, which is running`);
}

/**
 * What can go from an output folder: records and pages of runs before the last one, and what killed processes left. Results
 * stay, the last run's records (a retry reads them) and the manifests of finished steps (reuse reads them) too.
 *
 * @throws CohortflowError `OutputBusy` while a run is open there; `FileNotFound` when no run ever wrote there
 */
export async function removableOfOutput(
  output: string,
  services: CleanServices,
  now: number = Date.now(),
): Promise<readonly Removable[]> {
  const { files, ledger, isOpen } = services;
  if ((await files.stat(layout.run(output)))?.kind !== 'folder') {
    throw new CohortflowError('FileNotFound', `${output}: no run has written there`);
  }
  const owner = await ledger.owner(output);
  await refuseOpenRun(owner, isOpen, now);
  const found: Removable[] = [];
  // Without run.json nobody knows which run was the last.
  const earlier = async (kind: RemovableKind, folder: string): Promise<void> => {
    for (const runId of owner === undefined ? [] : await files.names(folder)) {
      if (runId !== owner?.runId) found.push(await removable(files, kind, `${folder}/${runId}`));
    }
  };
  await earlier('records of an earlier run', layout.allRecords(output));
  await earlier('pages of an earlier run', layout.manifests(output));
  await earlier('logs of an earlier run', layout.allLogs(output));
  for (const name of await files.names(layout.work(output))) {
    found.push(await removable(files, 'leftover of a killed step', `${layout.work(output)}/${name}`));
  }
  for (const name of await files.names(layout.run(output))) {
    if (HALF_WRITTEN.test(name))
      found.push(await removable(files, 'half-written file', `${layout.run(output)}/${name}`));
  }
  return found;
}

/** Remembered hashes whose path is gone, those of older versions, and what cannot be read. */
async function forsakenHashes(files: Files, folder: string): Promise<Removable[]> {
  const gone: string[] = [];
  const check = async (memory: string): Promise<void> => {
    try {
      const { path } = JSON.parse(await files.readText(memory)) as { path?: unknown };
      if (typeof path === 'string' && (await files.stat(path)) !== undefined) return;
    } catch (error) {
      // Another process may be removing it; anything else that is no memory of ours is worth nothing.
      if (error instanceof CohortflowError && error.code === 'FileNotFound') return;
      if (!(error instanceof SyntaxError)) throw error;
    }
    gone.push(memory);
  };
  for (const name of await files.names(folder)) {
    if (name.endsWith('.json')) gone.push(`${folder}/${name}`);
    else {
      const memories = (await files.names(`${folder}/${name}`)).filter((memory) => memory.endsWith('.json'));
      await mapBounded(memories, LOOKS_AT_ONCE, (memory) => check(`${folder}/${name}/${memory}`));
    }
  }
  return together(files, 'hashes of paths that are gone', folder, gone.sort());
}

/**
 * What can go from this installation's cache: hashes remembered of paths that are gone, bundles of other builds (all but the
 * newest: they are made again in seconds), private folders that killed shared steps left. Programs and transcript indexes
 * stay.
 *
 * @param modified when a path was last changed, in ms
 */
export async function removableOfCache(
  cacheFolder: string,
  files: Files,
  modified: (path: string) => Promise<number>,
  now: number = Date.now(),
): Promise<readonly Removable[]> {
  const found = await forsakenHashes(files, `${cacheFolder}/hashes`);
  const bundles = `${cacheFolder}/workflow-bundles`;
  const aged = await Promise.all(
    (await files.names(bundles)).map(async (name) => ({ name, time: await modified(`${bundles}/${name}`) })),
  );
  const old = aged.sort((a, b) => b.time - a.time).slice(1);
  const bundleFiles = old.map(({ name }) => `${bundles}/${name}`);
  found.push(...(await together(files, 'workflow bundle of another build', bundles, bundleFiles)));
  const work = `${cacheFolder}/shared/.work`;
  for (const name of await files.names(work)) {
    const path = `${work}/${name}`;
    if (now - (await modified(path)) < FORSAKEN_MS) continue;
    found.push(await removable(files, 'leftover of a killed step', path));
  }
  return found;
}

/** Removes what was found. */
export async function removeAll(files: Files, found: readonly Removable[]): Promise<void> {
  for (const { remove } of found) await mapBounded(remove, LOOKS_AT_ONCE, (path) => files.remove(path));
}
