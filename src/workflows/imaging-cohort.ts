import { fanOutChoice } from '../contracts/fan-out-choice.js';
import { checkInput } from '../contracts/input-check.js';
import { IMAGING_COHORT_RULES, type ImagingCohortInput, type PreparedRun } from '../contracts/inputs.js';
import type { CohortResult, FeatureGroupResult, ModalityResult } from '../contracts/results.js';
import { cohort } from './activities.js';
import { CohortState } from './cohort-state.js';
import { stepContext } from './cohort-step.js';
import { orFail } from './failures.js';
import { writeFeatureGroup } from './feature-groups.js';
import { untilMended, type Mended } from './mending.js';
import { asRootOrPart } from './root.js';
import { unitFanOut, unitInput } from './unit-fan-out.js';

async function imagingPart(
  input: ImagingCohortInput,
  prepared: PreparedRun,
  state: CohortState,
): Promise<ModalityResult> {
  const { output, roi, series, featureSet, imagingExecutor = 'local' } = input;
  const { runId, settings } = prepared;
  const choice = {
    ...(roi === undefined ? {} : { roi }),
    ...(series === undefined ? {} : { series }),
    ...(featureSet === undefined ? {} : { featureSet }),
  };
  const childInput = {
    ...unitInput(input, prepared),
    choice,
    ...(settings === undefined ? {} : { settings }),
    ...(imagingExecutor === 'local' ? {} : { executor: imagingExecutor }),
  };
  const fanOut = unitFanOut('imaging', input, prepared, childInput, state, imagingExecutor);
  const context = stepContext(input, prepared);
  const mended: Mended = (trip) => fanOut.mended(trip);
  for (;;) {
    state.enter('running');
    const counts = await fanOut.run();
    state.enter('joining');
    const { list, units, segments } = await untilMended(
      () => cohort.listFinished({ output, runId, modality: 'imaging' }),
      mended,
    );
    const featureGroups: FeatureGroupResult[] = [];
    if (units > 0) featureGroups.push(await writeFeatureGroup(context, input, 'imaging', list, mended));
    if (segments > 0) featureGroups.push(await writeFeatureGroup(context, input, 'imaging_segments', list, mended));
    if (!fanOut.goesOn()) return { counts, featureGroups };
  }
}

/** All imaging studies of a cohort, one child workflow each. A failed study never fails the cohort. */
export async function imagingCohort(raw: unknown): Promise<CohortResult | ModalityResult> {
  const input = orFail(() => {
    const checked = checkInput<ImagingCohortInput>('imagingCohort', IMAGING_COHORT_RULES, raw);
    fanOutChoice(checked, 'imaging');
    return checked;
  });
  const state = new CohortState();
  return asRootOrPart(input, ['imaging'], state, 'imaging', (prepared) => imagingPart(input, prepared, state));
}
