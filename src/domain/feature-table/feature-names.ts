import { CohortflowError } from '../errors.js';

/** Longest name SageMaker Feature Store takes. */
const LONGEST = 64;

/**
 * A name as SageMaker Feature Store takes it: letters, digits, `_` and `-`, beginning with a letter or digit, at most 64.
 * Every other character becomes `_`.
 */
export function storeName(name: string): string {
  const clean = name.replace(/[^A-Za-z0-9_-]/g, '_').replace(/^[_-]+/, '');
  return (clean === '' ? 'x' : clean).slice(0, LONGEST);
}

/**
 * Sanitises the names of a group's columns.
 *
 * @throws CohortflowError `FeatureNameCollision` when two become one, upper and lower case taken as equal (Athena's rule)
 */
export function storeNames(names: readonly string[]): string[] {
  const seen = new Map<string, string>();
  return names.map((name) => {
    const clean = storeName(name);
    const other = seen.get(clean.toLowerCase());
    if (other !== undefined) {
      const message = `the columns ${other} and ${name} both become ${clean}; rename one of them`;
      throw new CohortflowError('FeatureNameCollision', message);
    }
    seen.set(clean.toLowerCase(), name);
    return clean;
  });
}
