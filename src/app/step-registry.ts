import { CohortflowError } from '../domain/errors.js';
import { clinicalStep } from '../steps/clinical/features.js';
import { joinDatasetStep } from '../steps/cohort/join-dataset.js';
import { readFeatureRowsStep } from '../steps/cohort/read-feature-rows.js';
import { renderReportStep } from '../steps/cohort/render-report.js';
import { writeFeatureGroupStep } from '../steps/cohort/write-feature-group.js';
import { annotateStep } from '../steps/genomics/annotate.js';
import { indexStep } from '../steps/genomics/index-transcripts.js';
import { matrixStep } from '../steps/genomics/matrix.js';
import { quantifyStep } from '../steps/genomics/quantify.js';
import { convertStep } from '../steps/imaging/convert.js';
import { overlayStep } from '../steps/imaging/overlay.js';
import { radiomicsStep } from '../steps/imaging/radiomics.js';
import type { Step } from '../steps/step.js';

/** Every step of the product. */
const STEPS: readonly Step<never>[] = [
  convertStep,
  radiomicsStep,
  overlayStep,
  indexStep,
  annotateStep,
  quantifyStep,
  matrixStep,
  clinicalStep,
  writeFeatureGroupStep,
  readFeatureRowsStep,
  joinDatasetStep,
  renderReportStep,
];

const BY_NAME = new Map(STEPS.map((step) => [step.name, step as unknown as Step]));

/** A step by its name. The parameters of a request are checked by the step itself. */
export function stepByName(name: string): Step {
  const step = BY_NAME.get(name);
  if (step === undefined) throw new CohortflowError('InternalError', `there is no step named ${name}`);
  return step;
}
