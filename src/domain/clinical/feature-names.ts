import type { NameRule } from './spec.js';

/** A feature's name from a column, or from `column_value`: characters left out, cut to length. */
export function featureName(text: string, rule: NameRule): string {
  let name = '';
  for (const character of text) if (!rule.remove.includes(character)) name += character;
  if (rule.strict) name = name.replaceAll(/[^A-Za-z0-9_]/gu, '_');
  return name.length < rule.limit ? name : name.slice(0, rule.cutTo);
}

/**
 * Makes names differ, ignoring case (feature stores and SQL do): the second `x` becomes `x_2`. Different values may become
 * equal when their punctuation is left out (`>5` and `<5`) or when they are cut.
 */
export class UniqueNames {
  readonly #taken = new Set<string>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  claim(name: string): string {
    const base = name === '' ? 'column' : name;
    let free = base;
    for (let count = 2; this.#taken.has(free.toLowerCase()); count += 1) {
      const suffix = `_${count}`;
      free = `${base.slice(0, Math.max(1, this.#limit - suffix.length))}${suffix}`;
    }
    this.#taken.add(free.toLowerCase());
    return free;
  }
}
