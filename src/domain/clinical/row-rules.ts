import type { RowRule } from './spec.js';

/** A rule made ready: its column found, its condition a function. */
export interface ReadyRule {
  readonly holds: (row: readonly string[]) => boolean;
  readonly reason: string;
  readonly afterEncoding: boolean;
}

function condition(rule: RowRule): string {
  const quoted = (texts: readonly string[]): string => texts.map((text) => `"${text}"`).join(' or ');
  const parts = [
    ...(rule.equals === undefined ? [] : [`is ${quoted([rule.equals])}`]),
    ...(rule.oneOf === undefined ? [] : [`is ${quoted(rule.oneOf)}`]),
    ...(rule.contains === undefined ? [] : [`contains ${quoted([rule.contains])}`]),
    ...(rule.matches === undefined ? [] : [`matches ${rule.matches}`]),
    ...(rule.missing === undefined ? [] : [rule.missing ? 'is missing' : 'is present']),
  ];
  return parts.join(' and ');
}

/** The rule in words, for `dropped.csv`: only what the specification says, nothing of the row. */
export function ruleText(rule: RowRule, idColumn: string): string {
  return `${rule.column === '$id' ? idColumn : rule.column.trim()} ${condition(rule)}`;
}

/** Makes a rule ready for rows in which its column is cell `index`. */
export function readyRule(
  rule: RowRule,
  index: number,
  idColumn: string,
  options: { readonly ignoreCase: boolean; readonly isMissing: (text: string) => boolean; readonly kept: boolean },
): ReadyRule {
  const fold = (text: string): string => (options.ignoreCase ? text.toLowerCase() : text);
  const texts = rule.oneOf?.map(fold);
  const pattern = rule.matches === undefined ? undefined : new RegExp(rule.matches, options.ignoreCase ? 'iu' : 'u');
  const holds = (row: readonly string[]): boolean => {
    const cell = row[index] as string;
    const folded = fold(cell);
    return (
      (rule.equals === undefined || folded === fold(rule.equals)) &&
      (texts === undefined || texts.includes(folded)) &&
      (rule.contains === undefined || folded.includes(fold(rule.contains))) &&
      (pattern === undefined || pattern.test(cell)) &&
      (rule.missing === undefined || options.isMissing(cell) === rule.missing)
    );
  };
  const words = rule.reason ?? ruleText(rule, idColumn);
  return options.kept
    ? {
        holds: (row) => !holds(row),
        reason: rule.reason ?? `not kept: no ${ruleText(rule, idColumn)}`,
        afterEncoding: rule.afterEncoding === true,
      }
    : { holds, reason: words, afterEncoding: rule.afterEncoding === true };
}
