import { CohortflowError } from '../errors.js';
import { ID_PATTERN } from '../cohort/columns.js';
import { findIdColumn } from './infer.js';
import { readyRule, type ReadyRule } from './row-rules.js';
import { missingTest, type ClinicalSpec } from './spec.js';
import { columnIndex, someOf, type ClinicalTable } from './table.js';

/** The parts of a specification, or of a fitted encoding, that say how a table is read. */
export type ReadingRules = Pick<ClinicalSpec, 'id' | 'missing' | 'ignoreCase' | 'trim' | 'keepRows' | 'dropRows'>;

/** A table made ready for encoding. */
export interface PreparedTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly rowNumbers: readonly number[];
  readonly idIndex: number;
  readonly rules: readonly ReadyRule[];
  readonly isMissing: (text: string) => boolean;
}

/** Numbers and dates: in a first row they mean that it is no header but a patient's row, which must not be shown. */
const VALUE = /^(?:[+-]?\d+(?:[.,]\d+)?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})$/;

/** Index of the id column: one of the names given, else one that ids go by. */
function idColumn(columns: readonly string[], names: readonly string[]): number {
  for (const name of names) {
    const index = columnIndex(columns, name);
    if (index >= 0) return index;
  }
  const index = names.length === 0 ? findIdColumn(columns) : undefined;
  if (index !== undefined) return index;
  const wanted = names.length === 0 ? 'case_id, Case ID, Patient ID or the like' : names.join(' or ');
  const found = columns.map((column) => column.trim());
  if (found.some((cell) => VALUE.test(cell))) {
    const message = `clinical table: no id column (${wanted}); the first row does not look like a header: it must name the columns`;
    throw new CohortflowError('ClinicalIdColumnMissing', message, { wanted: [...names] });
  }
  const message = `clinical table: no id column (${wanted}); found: ${someOf(found, 60)}. Name it case_id, or under \`id\` in a specification`;
  throw new CohortflowError('ClinicalIdColumnMissing', message, { wanted: [...names], found });
}

function checkIds(ids: readonly string[], rowNumbers: readonly number[], column: string): void {
  const bad = rowNumbers.filter((_, index) => !ID_PATTERN.test(ids[index] as string));
  if (bad.length > 0) {
    const message = `clinical table: ${bad.length === 1 ? 'row' : 'rows'} ${someOf(bad)}: no usable id in column \`${column}\`; ids are 1 to 64 letters, digits, dots, hyphens and underscores and begin with a letter or digit`;
    throw new CohortflowError('InvalidClinicalId', message, { rows: bad.slice(0, 100), column });
  }
  const rowsOf = new Map<string, number[]>();
  ids.forEach((id, index) => {
    const key = id.toLowerCase();
    const rows = rowsOf.get(key);
    if (rows === undefined) rowsOf.set(key, [rowNumbers[index] as number]);
    else rows.push(rowNumbers[index] as number);
  });
  const twice = [...rowsOf.values()].filter((rows) => rows.length > 1);
  if (twice.length > 0) {
    const shown = twice.map((rows) => `rows ${rows.join(' and ')}`);
    const message = `clinical table: the same id in ${someOf(shown, 5)} (case ignored); keep one row per case`;
    throw new CohortflowError('DuplicateClinicalId', message, { rows: twice.slice(0, 100) });
  }
}

/** Columns that a specification needs and the table lacks, as `ClinicalColumnMissing`. */
export function requireColumns(columns: readonly string[], wanted: readonly string[], spec: string): void {
  const lacking = wanted.filter((name, index) => columnIndex(columns, name) < 0 && wanted.indexOf(name) === index);
  if (lacking.length === 0) return;
  const names = lacking.map((name) => `\`${name.trim()}\``);
  const message = `clinical table: the specification ${spec} names ${names.length === 1 ? 'a column' : 'columns'} that the table has not: ${someOf(names, 40)}`;
  throw new CohortflowError('ClinicalColumnMissing', message, { lacking, found: columns });
}

/**
 * Finds the id column, checks the ids and makes the row rules ready.
 *
 * @throws CohortflowError `ClinicalIdColumnMissing`, `InvalidClinicalId`, `DuplicateClinicalId`, `ClinicalColumnMissing`
 */
export function prepareTable(table: ClinicalTable, rules: ReadingRules, name: string): PreparedTable {
  const { columns, rowNumbers } = table;
  const idIndex = idColumn(columns, rules.id);
  const idName = (columns[idIndex] as string).trim();
  const rows = table.rows.map((row) =>
    row.map((cell, index) => (rules.trim || index === idIndex ? cell.trim() : cell)),
  );
  const ids = rows.map((row) => row[idIndex] as string);
  checkIds(ids, rowNumbers, idName);
  const all = [...rules.keepRows, ...rules.dropRows];
  requireColumns(
    columns,
    all.map((rule) => rule.column).filter((column) => column !== '$id'),
    name,
  );
  const isMissing = missingTest(rules);
  const ready = all.map((rule, index) => {
    const at = rule.column === '$id' ? idIndex : columnIndex(columns, rule.column);
    const kept = index < rules.keepRows.length;
    return readyRule(rule, at, idName, { ignoreCase: rules.ignoreCase, isMissing, kept });
  });
  return { columns, rows, rowNumbers, idIndex, rules: ready, isMissing };
}

/** A row that makes no record, and why. */
export interface DroppedRow {
  readonly caseId: string;
  readonly row: number;
  readonly reason: string;
}

/** Applies the rules of one stage to the rows still in (indices into `prepared.rows`). */
export function applyRules(
  prepared: PreparedTable,
  kept: readonly number[],
  afterEncoding: boolean,
): { readonly kept: number[]; readonly dropped: DroppedRow[] } {
  const rules = prepared.rules.filter((rule) => rule.afterEncoding === afterEncoding);
  const left: number[] = [];
  const dropped: DroppedRow[] = [];
  for (const index of kept) {
    const row = prepared.rows[index] as readonly string[];
    const rule = rules.find((candidate) => candidate.holds(row));
    if (rule === undefined) left.push(index);
    else dropped.push(droppedRow(prepared, index, rule.reason));
  }
  return { kept: left, dropped };
}

export function droppedRow(prepared: PreparedTable, index: number, reason: string): DroppedRow {
  return {
    caseId: prepared.rows[index]?.[prepared.idIndex] as string,
    row: prepared.rowNumbers[index] as number,
    reason,
  };
}
