import { jobSpec } from '../../adapters/aws/sagemaker/job-spec.js';
import type { AwsSettings } from '../../config/aws-settings.js';
import type { ImagingUnit } from '../../domain/cohort/manifest.js';
import { CohortflowError } from '../../domain/errors.js';
import { masked } from './masked.js';

/** The request of one study's job, or why there is none. */
export type PlannedRequest =
  | {
      readonly request: Readonly<Record<string, unknown>>;
      /** Settings without which it cannot be sent; their places have `…`. */
      readonly missing?: readonly string[];
    }
  | { readonly request: null; readonly why: string };

/** Stands where a run puts the job's own name: it is made from the run, which is not there yet. */
const NAME = 'cohortflow-plan';

/**
 * What would be sent to SageMaker for the first study of a cohort, all others alike but for name and places. Without a sheet
 * the study's place is made up.
 *
 * @param first the first study, undefined when the cohort is only counted
 */
export function plannedJob(first: ImagingUnit | undefined, settings: AwsSettings): PlannedRequest {
  const work = (settings.work ?? 's3://bucket/work').replace(/\/+$/, '');
  const unit: ImagingUnit = first ?? {
    modality: 'imaging',
    caseId: 'CASE-1',
    source: { kind: 'dicom', folder: 's3://bucket/cohort/CASE-1' },
  };
  try {
    const spec = jobSpec(NAME, `${work}/${NAME}`, unit, { 'cohortflow:work': NAME }, settings);
    return { request: masked(spec) as Readonly<Record<string, unknown>> };
  } catch (error) {
    if (error instanceof CohortflowError) return { request: null, why: error.message };
    throw error;
  }
}
