import { checkInput } from '../contracts/input-check.js';
import { IMAGING_STUDY_RULES, checkUnit, type ImagingStudyInput } from '../contracts/inputs.js';
import type { UnitResult } from '../contracts/outcome.js';
import { imagingPlace, imagingPlan } from '../contracts/unit-plans.js';
import { remoteWork } from './activities.js';
import { orFail } from './failures.js';
import { runUnit } from './unit-steps.js';

/** One study: convert, measure, draw; here, or whole in a job of a service. Returns how it ended; fails only by cancellation. */
export async function imagingStudy(raw: unknown): Promise<UnitResult> {
  const input = orFail(() => {
    const checked = checkInput<ImagingStudyInput>('imagingStudy', IMAGING_STUDY_RULES, raw);
    checkUnit('imagingStudy', 'imaging', checked.unit);
    return checked;
  });
  return runUnit(input, imagingPlace(input), ({ step, remotely }) =>
    input.executor === 'sagemaker'
      ? remotely('imaging.job', { executor: 'sagemaker', input }, (request, ticket, { facts }) =>
          remoteWork().adoptWork({ request, ticket, ...(facts === undefined ? {} : { facts }) }),
        )
      : imagingPlan(input, step),
  );
}
