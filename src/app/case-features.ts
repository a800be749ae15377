import { csvLine } from '../domain/csv/index.js';
import type { RecordRows } from '../ports/table-engine.js';
import type { CasePlace, Trace } from './case-traces.js';
import { rewrite } from './rewrite.js';
import { storedTraces, type StoreServices } from './stored-case.js';

/** What feature groups are read and written with. */
export interface FeatureServices extends StoreServices {
  /** Time of the deletion records; tests fix it. */
  readonly now: () => Date;
  /** A name that no other file has. */
  readonly unique: () => string;
}

/** Columns that the store adds after a record's own, the event time before them. */
const STORE_COLUMNS = ['write_time', 'api_invocation_time', 'is_deleted'];
const DELETED = { column: 'is_deleted', value: 'true' } as const;

const never = new AbortController().signal;

async function rowsTrace(
  { files, tables }: FeatureServices,
  path: string,
  rows: RecordRows,
): Promise<{ readonly traces: readonly Trace[]; readonly keys: readonly string[] }> {
  const keys = await tables.keysOf(path, rows, never);
  if (keys.length === 0) return { traces: [], keys };
  const remove = (): Promise<void> => rewrite(files, path, (aside) => tables.withoutRows(path, rows, aside, never));
  return { traces: [{ what: 'rows', where: path, count: keys.length, remove }], keys };
}

/** Time as the feature groups carry it: ISO 8601 in whole seconds, UTC. */
function eventTime(now: Date): string {
  return now.toISOString().replace(/\.\d+Z$/, 'Z');
}

/**
 * Writes deletion records: of each key one row with nothing in it but the key, the time and that it is deleted. Of one key
 * the latest record counts, so that it is gone wherever a copy of the group is read, too.
 */
async function writeDeletions(
  { files, tables, now, unique }: FeatureServices,
  group: string,
  like: string,
  keys: readonly string[],
): Promise<void> {
  const columns = await tables.columns(like, never);
  const time = eventTime(now());
  const [date = '', clock = ''] = time.split('T');
  const [year, month, day] = date.split('-');
  const folder = `${group}/data/year=${year}/month=${month}/day=${day}/hour=${clock.slice(0, 2)}`;
  const stored = columns.length - STORE_COLUMNS.length - 1;
  const line = (key: string): string =>
    csvLine(
      columns.map(({ name }, at) => (at === 0 ? key : name === 'is_deleted' ? 'true' : at >= stored ? time : '')),
    );
  const csv = `${group}/.deletions-${unique()}.csv`;
  const target = `${folder}/${time.replace(/[-:]/g, '')}_${unique()}.parquet`;
  const head = csvLine(columns.map(({ name }) => name));
  try {
    await files.makeFolder(folder);
    await files.write(csv, [head, ...keys.map(line), ''].join('\n'));
    await rewrite(files, target, (aside) => tables.csvToParquet(csv, columns, aside, never));
  } finally {
    await files.remove(csv);
  }
}

async function groupTraces(
  services: FeatureServices,
  output: string,
  name: string,
  caseId: string,
): Promise<readonly Trace[]> {
  const { files, tables } = services;
  const group = `${output}/features/${name}`;
  if ((await files.stat(group))?.kind !== 'folder') return [];
  const parquet = (await files.list(group, { recursive: true })).filter(({ name }) => name.endsWith('.parquet'));
  const traces: Trace[] = [];
  const keys = new Set<string>();
  let last: { readonly path: string; readonly rows: RecordRows } | undefined;
  for (const { path } of parquet) {
    const [id, ...rest] = await tables.columns(path, never);
    if (id === undefined || !rest.some(({ name }) => name === DELETED.column)) continue;
    const rows = { column: id.name, key: caseId, but: DELETED };
    const found = await rowsTrace(services, path, rows);
    traces.push(...found.traces);
    for (const key of found.keys) keys.add(key);
    // Names sort by time: the newest file has the columns that the group has now.
    if (found.keys.length > 0) last = { path, rows };
  }
  if (last === undefined) return [];
  const { path: like, rows } = last;
  // First: should this be interrupted, the rows that are left have been declared deleted.
  const remove = (): Promise<void> => writeDeletions(services, group, like, [...keys]);
  const stored = await storedTraces(services, {
    output,
    group: name,
    keys,
    rows,
    eventTime: eventTime(services.now()),
  });
  return [...stored, { what: 'deletion records, written', where: group, count: keys.size, remove }, ...traces];
}

/** The case's rows of the joined data set in Parquet and of all feature groups, and the deletion records to be written. */
export async function featureTraces(
  services: FeatureServices,
  { output, caseId }: CasePlace,
): Promise<readonly Trace[]> {
  const { files } = services;
  const found: Trace[] = [];
  const dataset = `${output}/dataset.parquet`;
  if ((await files.stat(dataset))?.kind === 'file') {
    found.push(...(await rowsTrace(services, dataset, { column: 'case_id', key: caseId })).traces);
  }
  for (const name of await files.names(`${output}/features`)) {
    found.push(...(await groupTraces(services, output, name, caseId)));
  }
  return found;
}
