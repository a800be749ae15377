import type { AwsSettings } from '../config/aws-settings.js';
import { pointerLayout } from '../contracts/feature-ingest.js';
import { isStoreGroup } from '../domain/feature-table/store-form.js';
import type { Files } from '../ports/files.js';
import { together, type Removable } from './clean.js';
import type { AccountServices, Demolition, Holding } from './clean-account.js';
import { wholePlace } from './clean-results.js';
import { allSentGroups } from './sent-groups.js';

/** First part of the names of feature groups where the settings have none. */
const PREFIX = 'cohortflow';

/** Folder and name of a file. */
function split(path: string): readonly [folder: string, name: string] {
  const at = path.lastIndexOf('/');
  return [path.slice(0, at), path.slice(at + 1)];
}

/** The files of a run that records of a group point to: what a record names otherwise is nothing that we made. */
function ownFiles(group: string, pointsTo: readonly string[]): readonly string[] {
  return pointsTo.filter((path) => {
    const [folder, name] = split(path);
    return folder.endsWith(`/${group}`) && pointerLayout.isFile(name);
  });
}

/** Files of these paths that are there, an entry for each folder. */
async function filesThere(files: Files, paths: readonly string[]): Promise<readonly Removable[]> {
  const found = new Map<string, string[]>();
  for (const path of new Set(paths)) {
    if ((await files.stat(path))?.kind !== 'file') continue;
    const [folder] = split(path);
    found.set(folder, [...(found.get(folder) ?? []), path]);
  }
  const entries: Removable[] = [];
  for (const [folder, there] of found) {
    entries.push(...(await together(files, 'files that a feature group points to', folder, there)));
  }
  return entries;
}

/** Every file that records of a group point to, whichever run sent them: below the place of work of now, and those of then. */
async function filesOfGroup(
  files: Files,
  { work }: AwsSettings,
  group: string,
  own: readonly string[],
): Promise<readonly Removable[]> {
  const here = work === undefined ? [] : [pointerLayout.group(pointerLayout.folder(work), group)];
  const paths: string[] = [];
  for (const folder of new Set([...here, ...own.map((path) => split(path)[0])])) {
    for (const name of await files.names(folder)) if (pointerLayout.isFile(name)) paths.push(`${folder}/${name}`);
  }
  return filesThere(files, paths);
}

/**
 * Feature groups with their offline records, and the files that their records point to: those of an output folder, by its own
 * record of what was sent where, under whatever prefix that was; or all of our prefix.
 *
 * A group holds the records of every run that has the same columns: taking it down takes those of other runs too, and the
 * listing says so. Of a group that is gone the files of this output are left, and go.
 */
export async function featureGroups(
  output: string | undefined,
  { settings, holdings, files }: AccountServices,
  signal: AbortSignal,
): Promise<Demolition> {
  const prefix = output === undefined ? (settings.features?.prefix ?? PREFIX) : undefined;
  const named: ReadonlyMap<string, readonly string[]> =
    output === undefined
      ? new Map((await holdings.groupNames(prefix ?? PREFIX, signal)).map((name) => [name, []]))
      : await allSentGroups(files, output);
  const found: Holding[] = [];
  const places: Removable[] = [];
  for (const [name, pointsTo] of named) {
    if (!isStoreGroup(name)) continue;
    const own = ownFiles(name, pointsTo);
    const group = await holdings.group(name, prefix, signal);
    if (group === undefined) {
      places.push(...(await filesThere(files, own)));
      continue;
    }
    if (!group.ours) continue;
    const table = group.table === undefined ? '' : `; its table ${group.table} stays in the catalogue`;
    found.push({
      kind: 'feature group',
      what: name,
      note: `with the records of every run that was sent to it${table}`,
      remove: async (abort) => {
        await holdings.removeGroup(name, abort);
        return undefined;
      },
    });
    if (group.records !== undefined) {
      places.push(...(await wholePlace(files, 'records of a feature group', group.records)));
    }
    places.push(...(await filesOfGroup(files, settings, name, own)));
  }
  return { holdings: found, files: places };
}
