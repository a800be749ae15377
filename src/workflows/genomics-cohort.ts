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
import { allEnded } from './pool.js';
import { asRootOrPart } from './root.js';

/** What all samples share. */
interface Reference {
  readonly index?: string;
  readonly annotation?: string;
}

/** The given reference, prepared once per content: transcripts indexed, the annotation read into a small table. */
async function prepareReference(input: GenomicsCohortInput, context: CohortStepContext): Promise<Reference> {
  const { transcripts, annotation } = input;
  const shared = (step: string, inputs: Record<string, readonly string[]>): Promise<string> =>
    runStep({ ...context, step, params: {}, inputs, place: { kind: 'shared' } }).then((report) => report.folder);
  const indexed = async (): Promise<string | undefined> => {
    if (input.index !== undefined || transcripts === undefined) return input.index;
    return `${await shared('genomics.index', { transcripts: [transcripts] })}/salmon-index`;
  };
  const annotated = async (): Promise<string | undefined> =>
    annotation === undefined
      ? undefined
      : `${await shared('genomics.annotate', { annotation: [annotation] })}/tx2gene.tsv`;
  const [index, table] = await allEnded([indexed(), annotated()]);
  return { ...(index === undefined ? {} : { index }), ...(table === undefined ? {} : { annotation: table }) };
}

async function genomicsPart(
  input: GenomicsCohortInput,
  prepared: PreparedRun,
  state: CohortState,
): Promise<ModalityResult> {
  const { output, threads } = input;
  const { runId } = prepared;
  const force = input.force ?? false;
  const context = { output, runId, force };
  const childInput: Record<string, unknown> = { output, runId, force };
  if (threads !== undefined) childInput['threads'] = threads;
  try {
    if (prepared.genomics > 0) Object.assign(childInput, await prepareReference(input, { ...context, force: false }));
  } catch (error) {
    if (isCancellation(error) || !isReportable(error)) throw error;
    // Every sample that needs the reference then fails with this code; the cohort and the other modalities go on.
    const { code, message } = stepFailure(error);
    childInput['referenceFailure'] = { code, message };
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
  const counts = await runFanOut(fanOut, input.concurrency ?? DEFAULT_CONCURRENCY, (progress) => state.show(progress));
  const { list, units } = await cohortFiles.listFinished({ output, runId, modality: 'genomics' });
  const featureGroups: FeatureGroupResult[] = [];
  if (units > 0) {
    const matrix = await cohortStep(context, 'expression', 'genomics.matrix', {}, { samples: [list] }, 'genomics');
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
