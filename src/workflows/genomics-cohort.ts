import { isCancellation, workflowInfo } from '@temporalio/workflow';
import { checkInput } from '../contracts/input-check.js';
import {
  DEFAULT_CONCURRENCY,
  GENOMICS_COHORT_RULES,
  type GenomicsCohortInput,
  type PreparedRun,
} from '../contracts/inputs.js';
import type { CohortResult, FeatureGroupResult, ModalityResult } from '../contracts/results.js';
import { cohortFiles, runStep } from './activities.js';
import { CohortState } from './cohort-state.js';
import { cohortStep, type CohortStepContext } from './cohort-step.js';
import { orFail, isReportable, stepFailure } from './failures.js';
import { runFanOut } from './fan-out.js';
import { writeFeatureGroup } from './feature-groups.js';
import { asRootOrPart } from './root.js';

/** The index all samples share: the given one, or one built once per content of the transcripts. */
async function indexFolder(input: GenomicsCohortInput, context: CohortStepContext): Promise<string | undefined> {
  if (input.index !== undefined) return input.index;
  if (input.transcripts === undefined) return undefined;
  const inputs = { transcripts: [input.transcripts] };
  const built = await runStep({ ...context, step: 'genomics.index', params: {}, inputs, place: { kind: 'shared' } });
  return `${built.folder}/salmon-index`;
}

async function genomicsPart(
  input: GenomicsCohortInput,
  prepared: PreparedRun,
  state: CohortState,
): Promise<ModalityResult> {
  const { output, annotation, threads } = input;
  const { runId } = prepared;
  const force = input.force ?? false;
  const context = { output, runId, force };
  const childInput: Record<string, unknown> = { output, runId, force };
  if (annotation !== undefined) childInput['annotation'] = annotation;
  if (threads !== undefined) childInput['threads'] = threads;
  try {
    const index = prepared.genomics > 0 ? await indexFolder(input, { ...context, force: false }) : undefined;
    if (index !== undefined) childInput['index'] = index;
  } catch (error) {
    if (isCancellation(error) || !isReportable(error)) throw error;
    // Every sample that needs the index then fails with this code; the cohort and the other modalities go on.
    const { code, message } = stepFailure(error);
    childInput['indexFailure'] = { code, message };
  }
  const fanOut = {
    modality: 'genomics',
    cohortId: workflowInfo().workflowId,
    output,
    runId,
    total: prepared.genomics,
    childInput,
  } as const;
  state.enter('running');
  const counts = await runFanOut(
    fanOut,
    input.concurrency ?? DEFAULT_CONCURRENCY,
    (progress) => (state.fanOut = progress),
  );
  const { list, units } = await cohortFiles.listFinished({ output, runId, modality: 'genomics' });
  const featureGroups: FeatureGroupResult[] = [];
  if (units > 0) {
    const inputs = { samples: [list], ...(annotation === undefined ? {} : { annotation: [annotation] }) };
    const matrix = await cohortStep(context, 'expression', 'genomics.matrix', {}, inputs, 'genomics');
    if (matrix.outcome === 'failed') featureGroups.push(matrix);
    else
      featureGroups.push(await writeFeatureGroup(context, input, 'genomics', `${output}/genomics/expression-tpm.csv`));
  }
  return { counts, featureGroups };
}

/** All samples of a cohort, one child workflow each, on one transcript index. A failed sample never fails the cohort. */
export async function genomicsCohort(raw: unknown): Promise<CohortResult | ModalityResult> {
  const input = orFail(() => checkInput<GenomicsCohortInput>('genomicsCohort', GENOMICS_COHORT_RULES, raw));
  const state = new CohortState();
  return asRootOrPart(input, ['genomics'], state, 'genomics', (prepared) => genomicsPart(input, prepared, state));
}
