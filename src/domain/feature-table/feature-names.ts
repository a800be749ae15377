import { CohortflowError } from '../errors.js';

/** Longest name SageMaker Feature Store takes. */
const LONGEST = 64;

/** Names of columns that the store adds to each record. */
const RESERVED = ['write_time', 'api_invocation_time', 'is_deleted'];

/**
 * A name as SageMaker Feature Store takes it: letters, digits, `_` and `-`, a letter or digit at both ends, at most 64.
 * Every other character becomes `_`.
 */
export function storeName(name: string): string {
  const clean = name.replace(/[^A-Za-z0-9_-]/g, '_').replace(/^[_-]+/, '');
  return clean.slice(0, LONGEST).replace(/[_-]+$/, '') || 'x';
}

/**
 * Sanitises the names of a group's columns.
 *
 * @throws CohortflowError `FeatureNameCollision` when two become one, upper and lower case taken as equal (Athena's rule);
 *   `FeatureNameReserved`
 */
export function storeNames(names: readonly string[]): string[] {
  const seen = new Map<string, string>();
  return names.map((name) => {
    const clean = storeName(name);
    const key = clean.toLowerCase();
    if (RESERVED.includes(key)) {
      throw new CohortflowError('FeatureNameReserved', `the column ${name} has a name of the store's own; rename it`);
    }
    const other = seen.get(key);
    if (other !== undefined) {
      const message = `the columns ${other} and ${name} both become ${clean}; rename one of them`;
      throw new CohortflowError('FeatureNameCollision', message);
    }
    seen.set(key, name);
    return clean;
  });
}
