import { CohortflowError } from '../errors.js';
import type { ClinicalEncoding, ColumnEncoding } from './encoding.js';
import { featureName, UniqueNames } from './feature-names.js';
import { inferUse } from './infer.js';
import { categories, columnType, parseNumber, type ColumnType } from './numbers.js';
import { requireColumns, type PreparedTable } from './prepare.js';
import type { ClinicalSpec } from './spec.js';
import { columnIndex, plainName, sameName, someOf } from './table.js';

interface Uses {
  readonly oneHot: readonly string[];
  readonly numeric: readonly string[];
  readonly left: readonly { readonly column: string; readonly why: string }[];
}

/** What each column of the table is used for: what the specification says, then its rule for the others. */
function usesOf(prepared: PreparedTable, spec: ClinicalSpec): Uses {
  const taken = new Set([...spec.oneHot, ...spec.numeric].map(plainName));
  const unwanted = new Set(spec.dropColumns.map(plainName));
  const oneHot = [...spec.oneHot];
  const numeric = [...spec.numeric];
  const left: { column: string; why: string }[] = [];
  const refused: string[] = [];
  prepared.columns.forEach((column, index) => {
    if (index === prepared.idIndex || taken.has(plainName(column))) return;
    if (spec.target !== undefined && sameName(spec.target.column, column)) return;
    if (unwanted.has(plainName(column))) left.push({ column: column.trim(), why: 'the specification drops it' });
    else if (spec.otherColumns === 'refuse') refused.push(`\`${column.trim()}\``);
    else if (spec.otherColumns === 'drop')
      left.push({ column: column.trim(), why: 'the specification does not name it' });
    else {
      const values = prepared.rows.map((row) => row[index] as string);
      const inferred = inferUse(column, values, prepared.isMissing);
      if (inferred.use === 'leave') left.push({ column: column.trim(), why: inferred.why });
      else (inferred.use === 'numeric' ? numeric : oneHot).push(column);
    }
  });
  if (refused.length > 0) {
    const message = `clinical table: columns that the specification ${spec.name} does not name: ${someOf(refused, 40)}; name them, or set otherColumns to drop or infer`;
    throw new CohortflowError('InvalidClinicalSpec', message, { columns: refused });
  }
  return { oneHot, numeric, left };
}

function fillValue(spec: ClinicalSpec, values: readonly string[], isMissing: (text: string) => boolean): number | null {
  if (spec.fill !== 'mean' && spec.fill !== 'median') return spec.fill;
  const numbers = values
    .filter((text) => !isMissing(text))
    .map((text) => parseNumber(text) ?? Number.NaN)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  if (numbers.length === 0) return null;
  if (spec.fill === 'mean') return numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  const middle = numbers.length >> 1;
  const upper = numbers[middle] as number;
  return numbers.length % 2 === 1 ? upper : (upper + (numbers[middle - 1] as number)) / 2;
}

function numericType(type: ColumnType): 'integer' | 'decimal' | 'text' {
  return type === 'integer' || type === 'text' ? type : 'decimal';
}

/**
 * Learns the encoding from a table: categories from the rows `kept`, column types from all rows (as pandas does when it
 * reads the file). Order of the features: one-hot columns, id, numeric columns, target, each as the specification lists
 * them.
 *
 * @throws CohortflowError `ClinicalColumnMissing`, `InvalidClinicalSpec`
 */
export function fitEncoding(prepared: PreparedTable, kept: readonly number[], spec: ClinicalSpec): ClinicalEncoding {
  const { columns, isMissing } = prepared;
  const target = spec.target;
  const wanted = [...spec.oneHot, ...spec.numeric, ...(target === undefined ? [] : [target.column])];
  requireColumns(columns, wanted, spec.name);
  const { oneHot, numeric, left } = usesOf(prepared, spec);
  const idColumn = columns[prepared.idIndex] as string;
  const taken = wanted.find((name) => sameName(name, idColumn));
  if (taken !== undefined) {
    const message = `specification ${spec.name}: \`${taken.trim()}\` is the id column and cannot be a feature`;
    throw new CohortflowError('InvalidClinicalSpec', message, { column: taken });
  }
  const valuesOf = (name: string): string[] => {
    const index = columnIndex(columns, name);
    return prepared.rows.map((row) => row[index] as string);
  };
  const names = new UniqueNames(spec.names.limit);
  // The id's and the target's names are relied on elsewhere: they are never the ones to give way.
  const idName = names.claim(spec.idName);
  const targetName = target === undefined ? '' : names.claim(featureName(target.column, spec.names));

  const encoded: ColumnEncoding[] = oneHot.map((column) => {
    const values = valuesOf(column);
    const type = columnType(values, isMissing);
    const seen = kept.map((index) => values[index] as string);
    return {
      kind: 'oneHot',
      column,
      type,
      categories: categories(seen, type, isMissing).map((value) => ({
        value,
        name: names.claim(featureName(`${column}_${value}`, spec.names)),
      })),
    };
  });
  encoded.push({ kind: 'id', column: idColumn, name: idName });
  for (const column of numeric) {
    const values = valuesOf(column);
    const type = numericType(columnType(values, isMissing));
    const seen = kept.map((index) => values[index] as string);
    const fill = fillValue(spec, seen, isMissing);
    encoded.push({ kind: 'numeric', column, name: names.claim(featureName(column, spec.names)), type, fill });
  }
  if (target !== undefined) {
    const fill = typeof spec.fill === 'number' ? spec.fill : null;
    const { column, missing, codes = null } = target;
    encoded.push({ kind: 'target', column, name: targetName, codes, missing, fill });
  }
  const { name, ignoreCase, trim, missing, keepRows, dropRows } = spec;
  return { version: 1, spec: name, ignoreCase, trim, missing, id: spec.id, columns: encoded, left, keepRows, dropRows };
}
