import { ingestLayout, type IngestRecord } from '../../contracts/feature-ingest.js';
import { CohortflowError } from '../../domain/errors.js';
import { parquetSource, tableSource, visibleSql } from '../../domain/feature-table/latest-sql.js';
import type { Files } from '../../ports/files.js';
import type { QueryEngine } from '../../ports/query-engine.js';
import type { FinishedRun, JoinedGroup, RunGroup } from './finished-run.js';
import type { LatestSource, StoredTable, TableWorkshop } from './latest-tables.js';
import { joinedColumns } from './make-dataset.js';

/** The feature store's side of a run's groups. */
export interface StoredFeatures {
  readonly engine: QueryEngine;
  /** Catalogue that the tables are in; the engine's own when absent. */
  readonly catalog?: string;
  readonly ingests: ReadonlyMap<JoinedGroup, IngestRecord>;
}

/** How long records may take to be seen. */
export interface Visibility {
  readonly withinMinutes: number;
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Milliseconds. */
  readonly now: () => number;
  readonly progress: (message: string) => void;
}

const FIRST_LOOK_MS = 10_000;
const LONGEST_LOOK_MS = 60_000;
/** Identifiers that a message names; the details have more. */
const NAMED = 20;
const LISTED = 1_000;

/** What was sent of each group of the run. @throws CohortflowError `FeaturesNotIngested` */
export async function readIngests(run: FinishedRun, files: Files): Promise<StoredFeatures['ingests']> {
  const ingests = new Map<JoinedGroup, IngestRecord>();
  for (const [name, { hash }] of run.groups) {
    const path = ingestLayout.record(run.output, name);
    const record =
      (await files.stat(path)) === undefined ? undefined : (JSON.parse(await files.readText(path)) as IngestRecord);
    if (record === undefined || record.rows !== hash) {
      const what = record === undefined ? 'has not been sent to the feature store' : 'has changed since it was sent';
      throw new CohortflowError('FeaturesNotIngested', `the group ${name} of ${run.output} ${what}`);
    }
    ingests.set(name, record);
  }
  return ingests;
}

const tablesOf = ({ featureGroups }: IngestRecord, catalog: string | undefined): readonly string[] =>
  featureGroups.map(({ table }) => tableSource({ ...table, catalog: catalog ?? table.catalog }));

/** Where the latest rows of a group are asked for in the store. */
export function storedSource(
  { engine, catalog, ingests }: StoredFeatures,
  group: JoinedGroup,
  found: RunGroup,
  local: QueryEngine,
  asOf: string | undefined,
): LatestSource {
  const record = ingests.get(group);
  if (record === undefined) throw new CohortflowError('InternalError', `nothing is known of how ${group} was sent`);
  const columns = joinedColumns(group, found);
  const sources = tablesOf(record, catalog);
  const { pointsTo } = record;
  const tables = record.featureGroups.map((stored, at): StoredTable => {
    const own = new Set(stored.columns);
    const source = sources[at]!;
    return pointsTo === undefined
      ? { source, columns: columns.filter(({ name }) => own.has(name)) }
      : { source, columns: [], pointsTo };
  });
  if (pointsTo !== undefined) tables.push({ source: parquetSource(found.folder), columns, engine: local });
  return { engine, schema: found.schema, tables, ...(asOf === undefined ? {} : { asOf }) };
}

async function identifiersOf({ rows, schema }: RunGroup, { local, signal }: TableWorkshop): Promise<Set<string>> {
  const id = `"${schema.recordIdentifier.replaceAll('"', '""')}"`;
  const file = `read_parquet('${rows.replaceAll("'", "''")}', hive_partitioning = false)`;
  const ids = new Set<string>();
  for await (const [key] of local.rows(`SELECT ${id} FROM ${file} WHERE is_deleted = 'false'`, { signal })) {
    if (key != null) ids.add(key);
  }
  return ids;
}

/**
 * Waits until the store shows every record of this run that it took. It writes what it takes within some 15 minutes.
 *
 * @throws CohortflowError `FeaturesNotVisible`, which names those that are not seen
 */
export async function waitUntilVisible(
  stored: StoredFeatures,
  run: FinishedRun,
  workshop: TableWorkshop,
  { withinMinutes, pause, now, progress }: Visibility,
): Promise<void> {
  const { signal } = workshop;
  const until = now() + withinMinutes * 60_000;
  for (const [name, found] of run.groups) {
    const record = stored.ingests.get(name)!;
    const refused = new Set(record.refused);
    for (const [at, source] of tablesOf(record, stored.catalog).entries()) {
      const missing = await identifiersOf(found, workshop);
      for (const id of refused) missing.delete(id);
      const { recordIdentifier: identifier, eventTimeName: eventTime } = found.schema;
      const sql = visibleSql({ source, identifier, eventTime, columns: [] }, record.latestEventTime, record.sentFrom);
      for (let wait = FIRST_LOOK_MS; missing.size > 0; wait = Math.min(wait * 2, LONGEST_LOOK_MS)) {
        for await (const [id] of stored.engine.rows(sql, { signal })) if (id != null) missing.delete(id);
        if (missing.size === 0) break;
        const left = until - now();
        if (left <= 0) throw notVisible(record.featureGroups[at]!.name, [...missing], withinMinutes);
        progress(`${name}: ${missing.size} records are not visible yet`);
        await pause(Math.min(wait, left), signal);
      }
    }
  }
}

function notVisible(group: string, missing: readonly string[], minutes: number): CohortflowError {
  const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : '';
  const message = `${missing.length} records of ${group} cannot be seen after ${minutes} minutes: ${missing.slice(0, NAMED).join(', ')}${more}`;
  return new CohortflowError('FeaturesNotVisible', message, { group, missing: missing.slice(0, LISTED) });
}
