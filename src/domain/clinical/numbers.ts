/** What a column holds, missing values aside; decided over all its values as pandas' `read_csv` does. */
export type ColumnType = 'empty' | 'boolean' | 'integer' | 'decimal' | 'text';

const INTEGER = /^\s*[+-]?\d+\s*$/;
const DECIMAL = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;
const INFINITE = /^\s*[+-]?inf(?:inity)?\s*$/i;
const BOOLEAN = /^(?:true|True|TRUE|false|False|FALSE)$/;
const INT64_MAX = 2n ** 63n - 1n;

function isInteger(text: string): boolean {
  if (!INTEGER.test(text)) return false;
  if (text.length < 16) return true;
  const value = BigInt(text.trim().replace(/^\+/, ''));
  return value <= INT64_MAX && value >= -INT64_MAX - 1n;
}

/** The number a text stands for, or undefined when it is none. */
export function parseNumber(text: string): number | undefined {
  if (DECIMAL.test(text)) return Number(text);
  if (INFINITE.test(text)) return text.includes('-') ? -Infinity : Infinity;
  return undefined;
}

/**
 * Type of a column. Whole numbers with missing ones among them are `decimal`, as in pandas, where a missing value is a
 * float: they are then written `1456.0`.
 */
export function columnType(values: readonly string[], isMissing: (text: string) => boolean): ColumnType {
  const present = values.filter((text) => !isMissing(text));
  if (present.length === 0) return 'empty';
  if (present.every((text) => BOOLEAN.test(text))) return 'boolean';
  if (present.every(isInteger)) return present.length === values.length ? 'integer' : 'decimal';
  return present.every((text) => parseNumber(text) !== undefined) ? 'decimal' : 'text';
}

/** A double as Python's `repr` writes it, which is how pandas writes CSV: `0.0`, `1456.0`, `1e-05`, `1e+16`. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return '';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && (magnitude < 1e-4 || magnitude >= 1e16)) {
    const [digits = '', exponent = ''] = value.toExponential().split('e');
    const sign = exponent.startsWith('-') ? '-' : '+';
    return `${digits}e${sign}${exponent.slice(1).padStart(2, '0')}`;
  }
  const text = Object.is(value, -0) ? '-0' : String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/**
 * A number of a column as it is written: whole numbers of an integer column exactly, however long; others as Python does.
 * Undefined when the text is no number.
 */
export function numberText(text: string, type: 'integer' | 'decimal'): string | undefined {
  if (type === 'integer' && isInteger(text)) return valueText(text, type);
  const value = parseNumber(text);
  if (value === undefined) return undefined;
  return type === 'integer' && Number.isInteger(value) ? String(value) : floatText(value);
}

/** A value of a column of the given type as pandas would show it in a name or a file. */
export function valueText(text: string, type: ColumnType): string {
  switch (type) {
    case 'integer':
      return String(BigInt(text.trim().replace(/^\+/, '')));
    case 'decimal':
      return floatText(parseNumber(text) ?? Number.NaN);
    case 'boolean':
      return /^t/i.test(text) ? 'True' : 'False';
    default:
      return text;
  }
}

/** Order by Unicode code point, as Python orders strings; JavaScript's own order is by UTF-16 unit. */
export function compareCodePoints(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const difference = (left[at] as string).codePointAt(0)! - (right[at] as string).codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/**
 * Categories of a column: every value seen, once, as pandas' `get_dummies` names and orders them (numbers by value, texts
 * by code point), none for missing.
 */
export function categories(
  values: readonly string[],
  type: ColumnType,
  isMissing: (text: string) => boolean,
): string[] {
  const seen = new Set<string>();
  for (const text of values) if (!isMissing(text)) seen.add(valueText(text, type));
  const list = [...seen];
  if (type === 'integer') return list.sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  if (type === 'decimal') return list.sort((a, b) => (parseNumber(a) ?? 0) - (parseNumber(b) ?? 0));
  return list.sort(compareCodePoints);
}
