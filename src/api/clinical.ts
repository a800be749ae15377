/**
 * `cohortflow/clinical`: clinical tables as plain functions, without Temporal, files or network.
 *
 * ```ts
 * const table = readClinicalTable(await readFile('clinical.csv'));
 * const { features, dropped, bias, leakage, encoding } = clinicalFeatures(table, 'nsclc-radiogenomics');
 * const later = applyEncoding(readClinicalTable(await readFile('new-cases.csv')), encoding, { unknown: 'missing' });
 * ```
 */
export {
  applyEncoding,
  BUILT_IN_SPECS,
  chooseSpec,
  clinicalFeatures,
  readClinicalTable,
  readSpec,
  SPEC_KEYS,
  type BiasReport,
  type ClinicalEncoding,
  type ClinicalFeatures,
  type ClinicalResult,
  type ClinicalSpec,
  type ClinicalTable,
  type ColumnEncoding,
  type ColumnLeakage,
  type DroppedRow,
  type FacetGroup,
  type LeakageReport,
  type LeakVerdict,
  type RowRule,
  type TargetSpec,
} from '../domain/clinical/index.js';
export { CohortflowError } from '../domain/errors.js';
