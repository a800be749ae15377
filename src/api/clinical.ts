/** The clinical table without workflows: specifications, features and the fitted encoding as plain functions. */
export { CohortflowError } from '../domain/errors.js';
export {
  BUILT_IN_SPECS,
  applyEncoding,
  chooseSpec,
  clinicalFeatures,
  readClinicalTable,
  readSpec,
  type ClinicalEncoding,
  type ClinicalFeatures,
  type ClinicalResult,
  type ClinicalSpec,
  type ClinicalTable,
} from '../domain/clinical/index.js';
export { clinicalStep, type ClinicalParams, type ClinicalSummary } from '../steps/clinical/features.js';
export { runStepIntoFolder as runStep, type StepRequest, type StepResult } from '../app/step-folders.js';
export type { Step, StepCall, StepIo } from '../steps/step.js';
