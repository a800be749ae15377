/** Genomics without workflows: tables and annotations as plain functions, and the steps. */
export { CohortflowError } from '../domain/errors.js';
export {
  formatAnnotation,
  formatQuant,
  parseQuant,
  readAnnotation,
  sumByGene,
  withoutVersion,
  type Annotation,
  type GeneSums,
  type QuantRow,
} from '../domain/genomics/index.js';
export { annotateStep } from '../steps/genomics/annotate.js';
export { indexStep, type IndexParams, type IndexSummary } from '../steps/genomics/index-transcripts.js';
export { quantifyStep, type QuantifyParams, type QuantifySummary } from '../steps/genomics/quantify.js';
export { runStepIntoFolder as runStep, type StepRequest, type StepResult } from '../app/step-folders.js';
export type { Step, StepCall, StepIo } from '../steps/step.js';
