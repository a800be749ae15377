import { CohortflowError } from '../errors.js';
import { BUILT_IN_SPECS, DEFAULT_BUILT_IN } from './built-in.js';
import { readSpec } from './spec-document.js';
import type { ClinicalSpec } from './spec.js';
import { columnIndex } from './table.js';

/** Columns a specification cannot do without. */
function neededColumns(spec: ClinicalSpec): string[] {
  return [...spec.oneHot, ...spec.numeric, ...(spec.target === undefined ? [] : [spec.target.column])];
}

/**
 * Finds the specification for a table: a name of those that ship with the product, a parsed document, or, when nothing is
 * given, the built-in one whose columns the table has, else one that types every column by its values and has no target.
 *
 * @throws CohortflowError `InvalidClinicalSpec`
 */
export function chooseSpec(given: unknown, columns: readonly string[]): ClinicalSpec {
  if (typeof given === 'string') {
    const spec = Object.hasOwn(BUILT_IN_SPECS, given) ? BUILT_IN_SPECS[given] : undefined;
    if (spec !== undefined) return spec;
    const known = Object.keys(BUILT_IN_SPECS).join(', ');
    const message = `clinical specification: there is none named "${given}"; built in: ${known}; a file of your own is named by its path`;
    throw new CohortflowError('InvalidClinicalSpec', message, { known: Object.keys(BUILT_IN_SPECS) });
  }
  if (given !== undefined) return readSpec(given);
  const fits = neededColumns(DEFAULT_BUILT_IN).every((name) => columnIndex(columns, name) >= 0);
  return fits ? DEFAULT_BUILT_IN : readSpec({ name: 'inferred' });
}
