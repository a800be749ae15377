import { CohortflowError } from '../errors.js';
import { featureColumns, type ClinicalEncoding, type ColumnEncoding } from './encoding.js';
import { isForeignNumber } from './infer.js';
import { numberText, parseNumber, valueText } from './numbers.js';
import {
  applyRules,
  droppedRow,
  prepareTable,
  requireColumns,
  type DroppedRow,
  type PreparedTable,
} from './prepare.js';
import { columnIndex, someOf, type ClinicalTable } from './table.js';

/** Features of a table: texts as they stand in the CSV file. */
export interface ClinicalFeatures {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Every row of one column whose value breaks a rule, told by row number, never by value. */
function rowFault(
  code: 'ClinicalValueNotNumeric' | 'UnknownTargetValue' | 'UnknownClinicalCategory',
  column: string,
  rows: readonly number[],
  what: string,
  hint: string,
): CohortflowError {
  const message = `clinical table, column \`${column.trim()}\`: ${what} in ${rows.length === 1 ? 'row' : 'rows'} ${someOf(rows)}${hint}`;
  return new CohortflowError(code, message, { column, rows: rows.slice(0, 100) });
}

interface Cell {
  readonly text: string;
  /** Set when the value has no place in the encoding. */
  readonly bad?: true;
}

/** Cells that one encoded column makes of one value. */
type Encoder = (text: string) => readonly Cell[];

function encoderOf(encoding: ColumnEncoding, all: ClinicalEncoding, isMissing: (text: string) => boolean): Encoder {
  switch (encoding.kind) {
    case 'id':
      return (text) => [{ text }];
    case 'oneHot': {
      const { categories, type } = encoding;
      const key = (text: string): string | undefined =>
        type === 'integer' || type === 'decimal' ? numberText(text, type) : valueText(text, type);
      const at = new Map(categories.map(({ value }, index) => [value, index]));
      return (text) => {
        if (isMissing(text)) return categories.map(() => ({ text: '0' }));
        const index = at.get(key(text) ?? '');
        if (index === undefined) return categories.map(() => ({ text: '0', bad: true }));
        return categories.map((_, category) => ({ text: category === index ? '1' : '0' }));
      };
    }
    case 'numeric': {
      const { type, fill } = encoding;
      // The fill is a number of the specification or a mean: 0 fits a whole column, 2.5 does not.
      const filled = fill === null ? '' : (numberText(String(fill), type === 'decimal' ? type : 'integer') ?? '');
      return (text) => {
        if (isMissing(text)) return [{ text: filled }];
        const written =
          type === 'text' && parseNumber(text) !== undefined
            ? text
            : numberText(text, type === 'text' ? 'decimal' : type);
        return [written === undefined ? { text, bad: true } : { text: written }];
      };
    }
    case 'target': {
      const { codes, fill } = encoding;
      const fold = (text: string): string => (all.ignoreCase ? text.toLowerCase() : text);
      const byText = new Map(Object.entries(codes ?? {}).map(([value, code]) => [fold(value), code]));
      return (text) => {
        const code = codes === null ? parseNumber(text) : byText.get(fold(text));
        if (code !== undefined && !(codes === null && isMissing(text))) return [{ text: String(code) }];
        if (!isMissing(text)) return [{ text, bad: true }];
        return [{ text: fill === null || encoding.missing !== 'fill' ? '' : String(fill) }];
      };
    }
  }
}

const FAULTS = {
  id: undefined,
  oneHot: { code: 'UnknownClinicalCategory', what: 'a category that the encoding does not know' },
  numeric: { code: 'ClinicalValueNotNumeric', what: 'text that is neither a number nor a missing code' },
  target: { code: 'UnknownTargetValue', what: 'a value without a code (target.codes)' },
} as const;

/**
 * Encodes rows of a prepared table.
 *
 * @param kept indices of the rows
 * @param unknown what to do with a category that the encoding does not know: treat it as missing, or throw
 */
export function encodeRows(
  prepared: PreparedTable,
  kept: readonly number[],
  encoding: ClinicalEncoding,
  unknown: 'error' | 'missing' = 'error',
): ClinicalFeatures {
  const rows: string[][] = kept.map(() => []);
  for (const column of encoding.columns) {
    const index = column.kind === 'id' ? prepared.idIndex : columnIndex(prepared.columns, column.column);
    const encode = encoderOf(column, encoding, prepared.isMissing);
    const bad: number[] = [];
    let foreign = true;
    kept.forEach((at, position) => {
      const text = prepared.rows[at]?.[index] as string;
      const cells = encode(text);
      if (cells.some((cell) => cell.bad === true)) {
        bad.push(prepared.rowNumbers[at] as number);
        foreign &&= isForeignNumber(text);
      }
      (rows[position] as string[]).push(...cells.map((cell) => cell.text));
    });
    const fault = FAULTS[column.kind];
    if (bad.length === 0 || fault === undefined || (column.kind === 'oneHot' && unknown === 'missing')) continue;
    const isNumber = column.kind === 'numeric' || (column.kind === 'target' && column.codes === null);
    const hint = isNumber && foreign ? ': decimal commas or separated thousands; write them as 1234.5' : '';
    throw rowFault(fault.code, column.column, bad, fault.what, hint);
  }
  return { columns: featureColumns(encoding), rows };
}

/** Rows whose target is missing, where the encoding drops them. */
export function dropWithoutTarget(
  prepared: PreparedTable,
  kept: readonly number[],
  encoding: ClinicalEncoding,
): { readonly kept: number[]; readonly dropped: DroppedRow[] } {
  const target = encoding.columns.find((column) => column.kind === 'target');
  if (target === undefined || target.missing !== 'drop') return { kept: [...kept], dropped: [] };
  const index = columnIndex(prepared.columns, target.column);
  const isOut = (at: number): boolean => prepared.isMissing(prepared.rows[at]?.[index] as string);
  const reason = `${target.column.trim()} (the target) is missing`;
  return {
    kept: kept.filter((at) => !isOut(at)),
    dropped: kept.filter(isOut).map((at) => droppedRow(prepared, at, reason)),
  };
}

/**
 * Makes the features of another table with an encoding that was fitted before: the same columns in the same order, the
 * same row rules. A target column may be absent (cases whose outcome is not known yet): its cells are then empty.
 *
 * @throws CohortflowError as fitting does, and `UnknownClinicalCategory` unless `unknown` is `missing`
 */
export function applyEncoding(
  table: ClinicalTable,
  encoding: ClinicalEncoding,
  options: { readonly unknown?: 'error' | 'missing' } = {},
): ClinicalFeatures & { readonly dropped: readonly DroppedRow[] } {
  const prepared = prepareTable(table, encoding, encoding.spec);
  const target = encoding.columns.find((column) => column.kind === 'target');
  const blind = target !== undefined && columnIndex(table.columns, target.column) < 0;
  const known = blind ? { ...encoding, columns: encoding.columns.filter((column) => column !== target) } : encoding;
  requireColumns(
    table.columns,
    known.columns.filter((column) => column.kind !== 'id').map(({ column }) => column),
    encoding.spec,
  );
  const first = applyRules(prepared, [...table.rows.keys()], false);
  const second = applyRules(prepared, first.kept, true);
  const third = dropWithoutTarget(prepared, second.kept, known);
  const features = encodeRows(prepared, third.kept, known, options.unknown ?? 'error');
  const dropped = [...first.dropped, ...second.dropped, ...third.dropped].sort((a, b) => a.row - b.row);
  if (!blind) return { ...features, dropped };
  return { columns: featureColumns(encoding), rows: features.rows.map((row) => [...row, '']), dropped };
}
