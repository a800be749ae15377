import { ID_NAMES } from './spec.js';
import { columnType, parseNumber } from './numbers.js';

/** What a column that no specification names is good for. */
export type InferredUse = { readonly use: 'numeric' | 'oneHot' } | { readonly use: 'leave'; readonly why: string };

/** More values than this in a text column make it free text, not categories. */
export const MAX_INFERRED_CATEGORIES = 30;

const DATE = [
  /^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ].*)?$/,
  /^\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})(?: .*)?$/,
  /^\d{1,2}[- ](?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[- ]\d{2,4}$/i,
  /^(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/,
];

/** Names of columns that identify a person whatever they hold. */
const IDENTIFYING =
  /(?:^|[^a-z])(?:(?:first|last|family|given|full|sur|patient|maiden)[ _-]?name|name|surname|mrn|ssn|dob|birth[ _-]?(?:date|day)|date[ _-]?of[ _-]?birth|address|street|zip|zip[ _-]?code|postcode|postal[ _-]?code|phone|telephone|e-?mail|accession(?:[ _-]?number)?)(?:$|[^a-z])/i;

function word(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]/g, '');
}

/** The table's id column: the best known name, spelt in any way; undefined when there is none. */
export function findIdColumn(columns: readonly string[]): number | undefined {
  const words = columns.map(word);
  for (const name of ID_NAMES) {
    const index = words.indexOf(word(name));
    if (index >= 0) return index;
  }
  return undefined;
}

/**
 * Decides by its values what a column is: numbers are numeric; texts with few values are categories; dates, free text,
 * identifying columns and columns that are all missing make no feature.
 */
export function inferUse(name: string, values: readonly string[], isMissing: (text: string) => boolean): InferredUse {
  if (IDENTIFYING.test(name)) return { use: 'leave', why: 'its name says that it identifies a person' };
  const present = values.filter((text) => !isMissing(text));
  if (present.length === 0) return { use: 'leave', why: 'every value is missing' };
  if (DATE.some((pattern) => present.every((text) => pattern.test(text.trim())))) {
    return { use: 'leave', why: 'it holds dates' };
  }
  const type = columnType(values, isMissing);
  if (type === 'integer' || type === 'decimal') {
    return present.every((text) => Number.isFinite(parseNumber(text)))
      ? { use: 'numeric' }
      : { use: 'leave', why: 'it holds infinite numbers' };
  }
  const distinct = new Set(present).size;
  if (distinct > MAX_INFERRED_CATEGORIES) {
    return { use: 'leave', why: `it has ${distinct} different texts: free text or an identifier` };
  }
  if (distinct > 2 && distinct === present.length) {
    return { use: 'leave', why: 'every row has another text: free text or an identifier' };
  }
  return { use: 'oneHot' };
}
