import { ingestLayout, type IngestRecord } from '../contracts/feature-ingest.js';
import { csvRows, csvText } from '../domain/csv/index.js';
import type { FeatureStore, RejectedRecord } from '../ports/feature-store.js';
import type { Files } from '../ports/files.js';
import type { RecordRows, TableEngine } from '../ports/table-engine.js';
import type { Trace } from './case-traces.js';
import { rewrite } from './rewrite.js';
import { sentGroups } from './sent-groups.js';

/** What records in a feature store are deleted with. */
export interface StoreServices {
  readonly files: Files;
  readonly tables: TableEngine;
  /** Deletes from groups that runs were sent to; needed only where one was. */
  readonly store: Pick<FeatureStore, 'made' | 'remove'>;
}

/** The records of a case in one feature group. */
export interface StoredCase {
  readonly output: string;
  readonly group: string;
  /** Identifiers of its records. */
  readonly keys: ReadonlySet<string>;
  /** Its rows, in a file of the group. */
  readonly rows: RecordRows;
  /** Of the deletions, later than the records'. */
  readonly eventTime: string;
}

const never = new AbortController().signal;

/** Takes the identifiers out of the marks of sendings that did not come to their end. */
async function forgetMarks(files: Files, { output, group, keys }: StoredCase): Promise<void> {
  const ingests = ingestLayout.folder(output);
  for (const folder of await files.names(ingests)) {
    if (!folder.startsWith(ingestLayout.batchesOf(group))) continue;
    for (const name of (await files.names(`${ingests}/${folder}`)).filter((one) => one.endsWith('.json'))) {
      const path = `${ingests}/${folder}/${name}`;
      const refused = JSON.parse(await files.readText(path)) as readonly RejectedRecord[];
      const others = refused.filter(({ id }) => !keys.has(id));
      if (others.length < refused.length) await files.write(path, JSON.stringify(others));
    }
  }
}

/** Takes the identifiers out of what is remembered of refused records. */
async function forgetRefused(files: Files, its: StoredCase): Promise<void> {
  const { output, group, keys } = its;
  await forgetMarks(files, its);
  const list = ingestLayout.rejected(output, group);
  if ((await files.stat(list)) !== undefined) {
    const kept: string[][] = [];
    for await (const cells of csvRows(files.lines(list))) if (!keys.has(cells[0] ?? '')) kept.push(cells);
    const [header = [], ...rows] = kept;
    await files.write(list, csvText(header, rows));
  }
  const path = ingestLayout.record(output, group);
  if ((await files.stat(path)) === undefined) return;
  const record = JSON.parse(await files.readText(path)) as IngestRecord;
  const refused = record.refused.filter((id) => !keys.has(id));
  if (refused.length === record.refused.length) return;
  const now = { ...record, refused, failed: refused.length };
  await files.write(path, `${JSON.stringify(now, null, 1)}\n`);
}

/** The case's rows in a file that records point to: they are emptied, since records name other rows by their numbers. */
async function pointedRows(
  { files, tables }: StoreServices,
  path: string,
  rows: RecordRows,
): Promise<readonly Trace[]> {
  if ((await files.stat(path)) === undefined) return [];
  const { length: count } = await tables.keysOf(path, rows, never);
  if (count === 0) return [];
  const remove = (): Promise<void> => rewrite(files, path, (aside) => tables.withRowsEmpty(path, rows, aside, never));
  return [{ what: 'rows that the feature store points to', where: path, count, remove }];
}

/**
 * The records of a case in the feature store, in each group that its output was ever sent to. Each is followed by a deletion:
 * the offline store is a log, and of one identifier the latest record counts.
 */
export async function storedTraces(services: StoreServices, its: StoredCase): Promise<readonly Trace[]> {
  const { files, store } = services;
  const { output, group, keys, rows, eventTime } = its;
  if (keys.size === 0) return [];
  const sent = await sentGroups(files, output, group);
  const remove = async (name: string): Promise<void> => {
    // A group that was taken down has no records any more.
    if ((await store.made(name, never)) === undefined) return;
    for (const key of keys) await store.remove(name, key, eventTime, never);
  };
  const traces = [...new Set(sent.map(({ name }) => name))].map((name): Trace => ({
    what: 'deletions, sent to the feature store',
    where: name,
    count: keys.size,
    remove: () => remove(name),
  }));
  const last = traces.at(-1);
  if (last === undefined) return [];
  const both = async (): Promise<void> => {
    await last.remove();
    await forgetRefused(files, its);
  };
  const pointed: Trace[] = [];
  for (const { pointsTo } of sent) {
    if (pointsTo !== undefined) pointed.push(...(await pointedRows(services, pointsTo, rows)));
  }
  return [...traces.slice(0, -1), { ...last, remove: both }, ...pointed];
}
