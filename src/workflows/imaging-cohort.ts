import { workflowInfo } from '@temporalio/workflow';
import { checkInput } from '../contracts/input-check.js';
import {
  DEFAULT_CONCURRENCY,
  IMAGING_COHORT_RULES,
  type ImagingCohortInput,
  type PreparedRun,
} from '../contracts/inputs.js';
import type { CohortResult, FeatureGroupResult, ModalityResult } from '../contracts/results.js';
import { cohortFiles } from './activities.js';
import { CohortState } from './cohort-state.js';
import { orFail } from './failures.js';
import { runFanOut } from './fan-out.js';
import { writeFeatureGroup } from './feature-groups.js';
import { asRootOrPart } from './root.js';

async function imagingPart(
  input: ImagingCohortInput,
  prepared: PreparedRun,
  state: CohortState,
): Promise<ModalityResult> {
  const { output, roi, series, featureSet } = input;
  const { runId, settings } = prepared;
  const force = input.force ?? false;
  const choice = {
    ...(roi === undefined ? {} : { roi }),
    ...(series === undefined ? {} : { series }),
    ...(featureSet === undefined ? {} : { featureSet }),
  };
  const childInput = { output, runId, force, choice, ...(settings === undefined ? {} : { settings }) };
  const fanOut = {
    modality: 'imaging',
    cohortId: workflowInfo().workflowId,
    output,
    runId,
    total: prepared.imaging,
    childInput,
  } as const;
  state.enter('running');
  const counts = await runFanOut(fanOut, input.concurrency ?? DEFAULT_CONCURRENCY, (progress) => state.show(progress));
  const { list, units, segments } = await cohortFiles.listFinished({ output, runId, modality: 'imaging' });
  const featureGroups: FeatureGroupResult[] = [];
  const context = { output, runId, force };
  if (units > 0) featureGroups.push(await writeFeatureGroup(context, input, 'imaging', list));
  if (segments > 0) featureGroups.push(await writeFeatureGroup(context, input, 'imaging_segments', list));
  return { counts, featureGroups };
}

/** All imaging studies of a cohort, one child workflow each. A failed study never fails the cohort. */
export async function imagingCohort(raw: unknown): Promise<CohortResult | ModalityResult> {
  const input = orFail(() => checkInput<ImagingCohortInput>('imagingCohort', IMAGING_COHORT_RULES, raw));
  const state = new CohortState();
  return asRootOrPart(input, ['imaging'], state, 'imaging', (prepared) => imagingPart(input, prepared, state));
}
