import { ingestLayout, type IngestRecord, type SentGroup } from '../contracts/feature-ingest.js';
import type { Files } from '../ports/files.js';

/**
 * Every group of the store that records of a feature group were ever sent to from this output, or may have been: by runs whose
 * table had other columns, and by sendings that broke off, too. A group may be named several times, once with each file that
 * its records point to.
 */
export async function sentGroups(files: Files, output: string, group: string): Promise<readonly SentGroup[]> {
  const folder = ingestLayout.sent(output, group);
  const found: SentGroup[] = [];
  for (const name of (await files.names(folder)).filter((one) => one.endsWith('.json'))) {
    found.push(JSON.parse(await files.readText(`${folder}/${name}`)) as SentGroup);
  }
  // The record of the last sending has been there longer than the list.
  const path = ingestLayout.record(output, group);
  if ((await files.stat(path)) !== undefined) {
    const { featureGroups = [], pointsTo } = JSON.parse(await files.readText(path)) as Partial<IngestRecord>;
    for (const { name } of featureGroups) {
      const known = found.some((one) => one.name === name && one.pointsTo === pointsTo);
      if (!known) found.push({ name, ...(pointsTo === undefined ? {} : { pointsTo }) });
    }
  }
  return found;
}

/** All groups of the store that anything of an output was sent to, by name, with the files that its records point to. */
export async function allSentGroups(files: Files, output: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const last = (await files.names(ingestLayout.folder(output))).filter((name) => name.endsWith('.json'));
  const groups = new Set([
    ...(await files.names(ingestLayout.sentFolder(output))),
    ...last.map((name) => name.slice(0, -'.json'.length)),
  ]);
  const found = new Map<string, readonly string[]>();
  for (const group of groups) {
    for (const { name, pointsTo } of await sentGroups(files, output, group)) {
      found.set(name, [...(found.get(name) ?? []), ...(pointsTo === undefined ? [] : [pointsTo])]);
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}
