import { CohortflowError } from '../../domain/errors.js';
import { csvLine } from '../../domain/csv/index.js';
import { floatText } from '../../domain/clinical/numbers.js';
import type { GroupColumn, GroupSchema } from '../../domain/feature-table/group-schema.js';
import { POINTER_URI } from '../../domain/feature-table/store-form.js';
import { latestSql } from '../../domain/feature-table/latest-sql.js';
import type { Files } from '../../ports/files.js';
import type { QueryEngine, TextCell } from '../../ports/query-engine.js';

/** A table of the store with the rows, or some of the columns, of a group. */
export interface StoredTable {
  /** What stands behind FROM. */
  readonly source: string;
  readonly columns: readonly GroupColumn[];
  /** Who is asked, where that is not the group's own engine. */
  readonly engine?: QueryEngine;
  /** Parquet file that all its records must point to: the values are read there. */
  readonly pointsTo?: string;
}

/** Where the latest rows of a group are asked for. */
export interface LatestSource {
  readonly engine: QueryEngine;
  readonly schema: GroupSchema;
  readonly tables: readonly StoredTable[];
  readonly asOf?: string;
}

/** What tables are made with besides: this machine's files and engine, and a private folder. */
export interface TableWorkshop {
  readonly files: Files;
  readonly local: QueryEngine;
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Which rows are wanted, and in which order: SQL of the columns `key` and `place`. */
export interface WantedRows {
  readonly sql: string;
  /** Rows the store does not have: left out, or empty. */
  readonly missing: 'out' | 'empty';
  /** Name of the column of identifiers; none where other columns say whose row it is. */
  readonly key?: string;
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** SQL of a CSV of texts with the columns `c0`, `c1`, … */
export function textCsv(path: string, columns: readonly string[]): string {
  const types = columns.map((name) => `${name}: 'VARCHAR'`).join(', ');
  const options =
    "header = true, delim = ',', quote = '\"', escape = '\"', auto_detect = false, max_line_size = 100000000";
  return `read_csv(${literal(path)}, ${options}, hive_partitioning = false, nullstr = '', columns = {${types}})`;
}

/**
 * A number as the table it came from has it: engines write `1.0E-7`, `1e-07` or `12.0`. Of a column that the catalogue made a
 * FLOAT they write the shortest number that stands for it, which no cast in the query could better.
 */
function spelling({ type, floats }: GroupColumn): (cell: TextCell) => string {
  if (type === 'String') return (cell) => cell ?? '';
  const write = floats === true ? floatText : String;
  return (cell) => (cell === null || cell === '' ? '' : write(Number(cell)));
}

/**
 * Asks for the latest rows of one table and writes them as they come, identifier first. Returns the identifiers whose records
 * point to another file than this run's.
 */
async function fetch(
  source: LatestSource,
  at: number,
  path: string,
  workshop: TableWorkshop,
): Promise<ReadonlySet<string>> {
  const { engine, schema, tables, asOf } = source;
  const table = tables[at]!;
  const sql = latestSql({
    source: table.source,
    identifier: schema.recordIdentifier,
    eventTime: schema.eventTimeName,
    columns: [
      schema.recordIdentifier,
      ...table.columns.map(({ name }) => name),
      ...(table.pointsTo === undefined ? [] : [POINTER_URI]),
    ],
    ...(asOf === undefined ? {} : { asOf }),
  });
  const write = table.columns.map(spelling);
  const { signal } = workshop;
  const elsewhere = new Set<string>();
  const lines = async function* (): AsyncIterable<string> {
    yield `${csvLine(['c0', ...write.map((_, index) => `c${index + 1}`)])}\n`;
    for await (const [id = '', ...cells] of (table.engine ?? engine).rows(sql, { signal })) {
      if (table.pointsTo !== undefined && cells[write.length] !== table.pointsTo) {
        elsewhere.add(id ?? '');
        continue;
      }
      yield `${csvLine([id ?? '', ...write.map((spell, index) => spell(cells[index] ?? null))])}\n`;
    }
  };
  await workshop.files.write(path, lines());
  return elsewhere;
}

/** Records of other cohorts may point where they like; of the wanted ones the values would be those of another file. */
async function refuseReplaced(
  elsewhere: ReadonlySet<string>,
  group: string,
  wanted: WantedRows,
  { local, signal }: TableWorkshop,
): Promise<void> {
  if (elsewhere.size === 0) return;
  let replaced = 0;
  for await (const [key] of local.rows(`SELECT key FROM (${wanted.sql}) AS wanted`, { signal })) {
    if (elsewhere.has(key ?? '')) replaced += 1;
  }
  if (replaced === 0) return;
  const message = `${replaced} records of ${group} point to the file of another run that came later`;
  throw new CohortflowError('FeaturesReplaced', message, { group, replaced });
}

/**
 * Writes the latest rows of a group as CSV under the names they had before the store: the wanted rows, in that order.
 *
 * @throws CohortflowError `FeaturesReplaced`, `QueryFailed`
 */
export async function writeLatest(
  source: LatestSource,
  wanted: WantedRows,
  target: string,
  workshop: TableWorkshop,
): Promise<void> {
  const { files, local, folder, signal } = workshop;
  const { group } = source.schema;
  const join = wanted.missing === 'out' ? 'JOIN' : 'LEFT JOIN';
  const cells = wanted.key === undefined ? [] : ['wanted.key'];
  const names = source.tables.flatMap(({ columns }) => columns.map(({ from }) => from));
  const header = wanted.key === undefined ? names : [wanted.key, ...names];
  const joins: string[] = [];
  for (const [at, { columns }] of source.tables.entries()) {
    const path = `${folder}/latest-${group}-${at}.csv`;
    await refuseReplaced(await fetch(source, at, path, workshop), group, wanted, workshop);
    const places = columns.map((_, index) => `c${index + 1}`);
    joins.push(
      `${join} ${textCsv(path, ['c0', ...places])} AS t${at} ON t${at}.c0 = ${at === 0 ? 'wanted.key' : 't0.c0'}`,
    );
    cells.push(...places.map((name) => `t${at}.${name}`));
  }
  const sql = `SELECT ${cells.join(', ')} FROM (${wanted.sql}) AS wanted ${joins.join(' ')} ORDER BY wanted.place`;
  const lines = async function* (): AsyncIterable<string> {
    yield `${csvLine(header)}\n`;
    for await (const row of local.rows(sql, { signal })) yield `${csvLine(row.map((cell) => cell ?? ''))}\n`;
  };
  await files.write(target, lines());
}
