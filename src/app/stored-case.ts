import { ingestLayout, type IngestRecord } from '../contracts/feature-ingest.js';
import { csvRows, csvText } from '../domain/csv/index.js';
import type { FeatureStore } from '../ports/feature-store.js';
import type { Files } from '../ports/files.js';
import type { Trace } from './case-traces.js';

/** What records in a feature store are deleted with. */
export interface StoreServices {
  readonly files: Files;
  /** Deletes from groups that runs were sent to; needed only where one was. */
  readonly store: Pick<FeatureStore, 'remove'>;
}

const never = new AbortController().signal;

/** Takes the identifiers out of what is remembered of refused records. */
async function forgetRefused(
  files: Files,
  output: string,
  record: IngestRecord,
  keys: ReadonlySet<string>,
): Promise<void> {
  const refused = record.refused.filter((id) => !keys.has(id));
  if (refused.length === record.refused.length) return;
  const list = ingestLayout.rejected(output, record.group);
  if ((await files.stat(list)) !== undefined) {
    const kept: string[][] = [];
    for await (const cells of csvRows(files.lines(list))) if (!keys.has(cells[0] ?? '')) kept.push(cells);
    const [header = [], ...rows] = kept;
    await files.write(list, csvText(header, rows));
  }
  const now = { ...record, refused, failed: refused.length };
  await files.write(ingestLayout.record(output, record.group), `${JSON.stringify(now, null, 1)}\n`);
}

/**
 * The records of a case in the feature store, of a group that was sent there. Each is followed by a deletion: the offline
 * store is a log, and of one identifier the latest record counts.
 *
 * @param keys identifiers of the case's records
 * @param eventTime of the deletions, later than the records'
 */
export async function storedTraces(
  { files, store }: StoreServices,
  output: string,
  group: string,
  keys: ReadonlySet<string>,
  eventTime: string,
): Promise<readonly Trace[]> {
  const path = ingestLayout.record(output, group);
  if (keys.size === 0 || (await files.stat(path)) === undefined) return [];
  const record = JSON.parse(await files.readText(path)) as IngestRecord;
  const remove = async (name: string): Promise<void> => {
    for (const key of keys) await store.remove(name, key, eventTime, never);
  };
  const traces = record.featureGroups.map(({ name }): Trace => ({
    what: 'deletions, sent to the feature store',
    where: name,
    count: keys.size,
    remove: () => remove(name),
  }));
  const last = traces.at(-1);
  if (last === undefined) return [];
  const both = async (): Promise<void> => {
    await last.remove();
    await forgetRefused(files, output, record, keys);
  };
  return [...traces.slice(0, -1), { ...last, remove: both }];
}
