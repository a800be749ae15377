import { AWS_FAILURES } from './aws.js';
import { CLINICAL_FAILURES } from './clinical.js';
import { COHORT_FAILURES } from './cohort.js';
import { DRAGEN_FAILURES } from './dragen.js';
import { FEATURE_STORE_FAILURES } from './feature-store.js';
import { GENERAL_FAILURES } from './general.js';
import { GENOMICS_FAILURES } from './genomics.js';
import { IMAGING_FAILURES } from './imaging.js';
import { PLUGIN_FAILURES } from './plugin.js';
import { PRIVACY_FAILURES } from './privacy.js';
import { RADIOMICS_FAILURES } from './radiomics.js';
import { TABLE_FAILURES } from './tables.js';
import type { FailureKind } from './failure.js';

export type { FailureKind } from './failure.js';

/** The catalogue: every failure the product reports, by its code (also the `type` of the Temporal ApplicationFailure). */
export const FAILURES = {
  ...GENERAL_FAILURES,
  ...COHORT_FAILURES,
  ...IMAGING_FAILURES,
  ...RADIOMICS_FAILURES,
  ...GENOMICS_FAILURES,
  ...CLINICAL_FAILURES,
  ...TABLE_FAILURES,
  ...PLUGIN_FAILURES,
  ...PRIVACY_FAILURES,
  ...AWS_FAILURES,
  ...DRAGEN_FAILURES,
  ...FEATURE_STORE_FAILURES,
} as const;

/** The closed union of all failure codes. */
export type FailureCode = keyof typeof FAILURES;

/** True when a string (a failure's `type` from a history, a code from a record) is in the catalogue. */
export function isFailureCode(code: string): code is FailureCode {
  return Object.hasOwn(FAILURES, code);
}

/** The entry of a code, widened for readers that show any of them. */
export function failureKind(code: FailureCode): FailureKind {
  return FAILURES[code];
}
