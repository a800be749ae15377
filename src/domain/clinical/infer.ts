import { ID_NAMES } from './spec.js';
import { columnType, parseNumber } from './numbers.js';

/** What a column that no specification names is good for. */
export type InferredUse = { readonly use: 'numeric' | 'oneHot' } | { readonly use: 'leave'; readonly why: string };

/** More values than this in a text column make it free text, not categories. */
export const MAX_INFERRED_CATEGORIES = 30;

const MONTH =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)';
/** Dates that are nothing else, whatever stands beside them in the column. */
const DATE = [
  /^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ].*)?$/,
  /^\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})(?: .*)?$/,
  new RegExp(`^\\d{1,2}[-. ]{1,2}${MONTH}[-., ]{1,2}\\d{2,4}$`, 'i'),
  new RegExp(`^${MONTH}[-. ]{1,2}(?:\\d{1,2}(?:st|nd|rd|th)?,? ?)?\\d{2,4}$`, 'i'),
];
/** Digits that are dates only where the whole column is made of them. */
const DATE_OF_DIGITS = /^(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/;

/** Numbers as other countries write them: `12,5`, `1.234,5`, `1,234.5`, `1 234`. */
const FOREIGN_NUMBER =
  /^[+-]?(?:\d+,\d+|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d{1,3}(?:[ '\u00a0\u202f’]\d{3})+(?:[.,]\d+)?)$/;
/** A text column with as many different numbers as this holds measurements, not categories. */
const MANY_NUMBERS = 10;

/** Names of columns that identify a person whatever they hold. */
const IDENTIFYING =
  /(?:^|[^a-z])(?:(?:first|last|family|given|full|sur|patient|maiden)[ _-]?name|name|surname|mrn|ssn|dob|birth[ _-]?(?:date|day)|date[ _-]?of[ _-]?birth|address|street|zip|zip[ _-]?code|postcode|postal[ _-]?code|phone|telephone|e-?mail|accession(?:[ _-]?number)?|(?:hospital|nhs|record|chart|medical[ _-]?record|insurance|passport|national|social[ _-]?security)[ _-]?(?:id|no|nr|num|number)|(?:study|series|sop)[ _-]?(?:instance[ _-]?)?uid|initials)(?:$|[^a-z])/i;

/** True of a column that identifies a person by its name: a second id beside the one that is taken is such, too. */
function isIdentifying(name: string): boolean {
  const apart = name.replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2');
  return IDENTIFYING.test(apart) || ID_WORDS.has(word(name));
}

function word(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]/g, '');
}

const ID_WORDS: ReadonlySet<string> = new Set(ID_NAMES.map(word));

/** The table's id column: the best known name, spelt in any way; undefined when there is none. */
export function findIdColumn(columns: readonly string[]): number | undefined {
  const words = columns.map(word);
  for (const name of ID_NAMES) {
    const index = words.indexOf(word(name));
    if (index >= 0) return index;
  }
  return undefined;
}

function isDate(text: string): boolean {
  return DATE.some((pattern) => pattern.test(text.trim()));
}

/** True of a number with a decimal comma or separated thousands, which is read nowhere: `1,234` may mean either. */
export function isForeignNumber(text: string): boolean {
  return FOREIGN_NUMBER.test(text.trim());
}

/**
 * Decides by its values what a column is: numbers are numeric; texts with few values are categories; dates, free text,
 * identifying columns and columns that are all missing make no feature.
 */
export function inferUse(name: string, values: readonly string[], isMissing: (text: string) => boolean): InferredUse {
  if (isIdentifying(name)) return { use: 'leave', why: 'its name says that it identifies a person' };
  const present = values.filter((text) => !isMissing(text));
  if (present.length === 0) return { use: 'leave', why: 'every value is missing' };
  if (present.every((text) => DATE_OF_DIGITS.test(text.trim()))) return { use: 'leave', why: 'it holds dates' };
  const type = columnType(values, isMissing);
  if (type === 'integer' || type === 'decimal') {
    return present.every((text) => Number.isFinite(parseNumber(text)))
      ? { use: 'numeric' }
      : { use: 'leave', why: 'it holds infinite numbers' };
  }
  // A category made of a date would carry it into the name of a feature, and `alive` beside dates of death tells the outcome.
  if (present.some(isDate)) return { use: 'leave', why: 'it holds dates' };
  if (present.every((text) => parseNumber(text) !== undefined || isForeignNumber(text))) {
    return { use: 'leave', why: 'its numbers have decimal commas or separated thousands; write them as 1234.5' };
  }
  const numbers = present.filter((text) => parseNumber(text) !== undefined);
  if (numbers.length * 2 >= present.length && new Set(numbers).size >= MANY_NUMBERS) {
    const others = present.length - numbers.length;
    const why = `${others} of its ${present.length} values are texts among numbers; name these texts under \`missing\``;
    return { use: 'leave', why };
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
