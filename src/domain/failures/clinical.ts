import type { FailureKind } from './failure.js';

/** Failures of the clinical part. */
export const CLINICAL_FAILURES = {
  InvalidClinicalTable: {
    retryable: false,
    fault: 'input',
    reason: 'The clinical table cannot be read: it is empty, not CSV, or rows differ in length.',
    remedy: 'Correct the rows that the message names, or export the table again as CSV (UTF-8).',
  },
  InvalidClinicalSpec: {
    retryable: false,
    fault: 'input',
    reason: 'The clinical specification has unknown, missing or contradicting entries.',
    remedy: 'Correct the entries that the message names; docs/clinical.md describes them all.',
  },
  ClinicalIdColumnMissing: {
    retryable: false,
    fault: 'input',
    reason: 'The clinical table has no column that identifies the case.',
    remedy: 'Name the id column case_id, or name it under `id` in a specification (--clinical-spec).',
  },
  ClinicalColumnMissing: {
    retryable: false,
    fault: 'input',
    reason: 'The clinical table lacks columns that the specification names.',
    remedy: 'Check the spelling in the specification, or use one made for this table.',
  },
  DuplicateClinicalId: {
    retryable: false,
    fault: 'input',
    reason: 'The clinical table has more than one row for a case.',
    remedy: 'Keep one row per case.',
  },
  InvalidClinicalId: {
    retryable: false,
    fault: 'input',
    reason: 'A row of the clinical table has no usable case id.',
    remedy: 'Give every row an id of letters, digits, dots, hyphens and underscores, as in the cohort sheet.',
  },
  ClinicalValueNotNumeric: {
    retryable: false,
    fault: 'input',
    reason: 'A column declared numeric holds text that is no missing code.',
    remedy: 'Correct the rows, add the text to the missing codes, or declare the column categorical.',
  },
  UnknownTargetValue: {
    retryable: false,
    fault: 'input',
    reason: 'The target column holds values that the specification gives no code for.',
    remedy: 'Add the values to `target.codes`, or to the missing codes.',
  },
  UnknownClinicalCategory: {
    retryable: false,
    fault: 'input',
    reason: 'A column holds a category that the fitted encoding does not know.',
    remedy: 'Fit the encoding again on a table with that category, or apply it with unknown categories as missing.',
  },
  NoClinicalRows: {
    retryable: false,
    fault: 'input',
    reason: 'No row of the clinical table is left after the rules of the specification.',
    remedy: 'Look at dropped rows: the rules may be for another table.',
  },
} as const satisfies Record<string, FailureKind>;
