/** The rows of one feature group, as a query sees them. */
export interface LatestRows {
  /** What stands behind FROM: {@link parquetSource} or {@link tableSource}. */
  readonly source: string;
  readonly identifier: string;
  readonly eventTime: string;
  /** Columns wanted, in this order; the identifier only where it is among them. */
  readonly columns: readonly string[];
  /** Records with a later event time do not count, deletions neither. */
  readonly asOf?: string;
}

const identifierText = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * A time as one that can be compared: the store keeps event times as text, with or without fractions of a second, and its own
 * times as time stamps. Both engines can make a text of a time stamp and a time stamp of a text without `T` and `Z`.
 */
function time(expression: string): string {
  return `CAST(replace(replace(replace(CAST(${expression} AS VARCHAR), ' UTC', ''), 'T', ' '), 'Z', '') AS TIMESTAMP)`;
}

/** True for a deletion; a text in our own files, a truth value in the store's. */
const DELETED = 'CAST(CAST(is_deleted AS VARCHAR) AS BOOLEAN)';

/**
 * The latest record of each identifier, and nothing of identifiers whose latest record is a deletion: standard SQL that
 * Athena (Trino) and DuckDB both take, so that there is one answer.
 *
 * Deleted records are left out after ranking, never before: else the record before a deletion would come back. Of records of
 * one event time the one that was sent last counts, then the one that was written last, then a deletion.
 */
export function latestSql({ source, identifier, eventTime, columns, asOf }: LatestRows): string {
  const id = identifierText(identifier);
  const event = time(identifierText(eventTime));
  const order = [event, time('api_invocation_time'), time('write_time'), DELETED];
  const until = asOf === undefined ? '' : `  WHERE ${event} <= ${time(literal(asOf))}\n`;
  return (
    `SELECT ${columns.map(identifierText).join(', ')}\nFROM (\n` +
    `  SELECT records.*, row_number() OVER (PARTITION BY ${id} ORDER BY ${order.map((key) => `${key} DESC`).join(', ')}) AS record_rank\n` +
    `  FROM ${source} AS records\n${until}) AS ranked\n` +
    `WHERE record_rank = 1 AND NOT ${DELETED}`
  );
}

/**
 * Which identifiers have a record of at least this event time, deletions included, that was not sent before `sentFrom`: what the
 * store shows of an ingest. A run that sends a row twice gives both the same event time.
 */
export function visibleSql({ source, identifier, eventTime }: LatestRows, since: string, sentFrom?: string): string {
  const event = time(identifierText(eventTime));
  const id = identifierText(identifier);
  const sent = sentFrom === undefined ? '' : `\n  AND ${time('api_invocation_time')} >= ${time(literal(sentFrom))}`;
  return `SELECT DISTINCT ${id}\nFROM ${source} AS records\nWHERE ${event} >= ${time(literal(since))}${sent}`;
}

/**
 * Our own files of a group, for DuckDB. Columns that only some of them have are null in the rest. What the folders' names say
 * (`year=2026`) is left alone: as columns they would hide features of those names.
 *
 * @param folder the group's folder, which holds `data/`
 */
export function parquetSource(folder: string): string {
  return `read_parquet(${literal(`${folder}/data/**/*.parquet`)}, hive_partitioning = false, union_by_name = true)`;
}

/** A table of the Glue catalogue, for Athena. */
export function tableSource(table: {
  readonly catalog?: string | undefined;
  readonly database: string;
  readonly table: string;
}): string {
  const parts = [...(table.catalog === undefined ? [] : [table.catalog]), table.database, table.table];
  return parts.map(identifierText).join('.');
}
