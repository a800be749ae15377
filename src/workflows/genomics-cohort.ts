import { isCancellation } from '@temporalio/workflow';
import { fanOutChoice } from '../contracts/fan-out-choice.js';
import { checkInput } from '../contracts/input-check.js';
import { GENOMICS_COHORT_RULES, type GenomicsCohortInput, type PreparedRun } from '../contracts/inputs.js';
import type { CohortResult, FeatureGroupResult, ModalityResult } from '../contracts/results.js';
import type { JsonObject } from '../steps/step.js';
import { cohort, runStep } from './activities.js';
import { CohortState } from './cohort-state.js';
import { cohortStep, stepContext, type CohortStepContext } from './cohort-step.js';
import { orFail, isReportable, stepFailure } from './failures.js';
import { writeFeatureGroup } from './feature-groups.js';
import { untilMended, type Mended } from './mending.js';
import { allEnded } from './pool.js';
import { remotely } from './remote-unit.js';
import { asRootOrPart } from './root.js';
import { unitFanOut, unitInput } from './unit-fan-out.js';

/** What all samples share. */
interface Reference {
  readonly index?: string;
  readonly annotation?: string;
}

/** The given reference, prepared once per content: transcripts indexed, the annotation read into a small table. */
async function prepareReference(
  input: GenomicsCohortInput,
  prepared: PreparedRun,
  context: CohortStepContext,
): Promise<Reference> {
  const { transcripts, genomicsExecutor } = input;
  const { dragen, runId } = prepared;
  const annotation = input.annotation ?? dragen?.annotation;
  const shared = (step: string, inputs: Record<string, readonly string[]>): Promise<string> =>
    runStep({ ...context, step, params: {}, inputs, place: { kind: 'shared' } }).then((report) => report.folder);
  const indexed = async (): Promise<string | undefined> => {
    // DRAGEN has a reference of its own.
    if (genomicsExecutor === 'dragen' || input.index !== undefined || transcripts === undefined) return input.index;
    return `${await shared('genomics.index', { transcripts: [transcripts] })}/salmon-index`;
  };
  const annotated = async (): Promise<string | undefined> =>
    annotation === undefined
      ? undefined
      : `${await shared('genomics.annotate', { annotation: [annotation] })}/tx2gene.tsv`;
  const hashed = async (): Promise<undefined> => {
    if (genomicsExecutor !== 'dragen' || dragen === undefined) return undefined;
    // Once for all samples; the machine that makes it puts it where those of the samples find it.
    return remotely({ executor: 'dragen', table: dragen, output: input.output, runId }, async () => undefined);
  };
  const [index, table] = await allEnded([indexed(), annotated(), hashed()]);
  return { ...(index === undefined ? {} : { index }), ...(table === undefined ? {} : { annotation: table }) };
}

async function genomicsPart(
  input: GenomicsCohortInput,
  prepared: PreparedRun,
  state: CohortState,
): Promise<ModalityResult> {
  const { output, threads, genomicsExecutor = 'local' } = input;
  const { runId, dragen } = prepared;
  const context = stepContext(input, prepared);
  const childInput = {
    ...unitInput(input, prepared),
    ...(threads === undefined ? {} : { threads }),
    ...(genomicsExecutor === 'local' ? {} : { executor: genomicsExecutor }),
    ...(dragen === undefined ? {} : { dragen }),
  };
  const fanOut = unitFanOut('genomics', input, prepared, childInput, state, genomicsExecutor);
  const mended: Mended = (trip) => fanOut.mended(trip);
  const withReference = async (): Promise<JsonObject> => {
    const work = (): Promise<Reference> => prepareReference(input, prepared, { ...context, force: false });
    try {
      // Before any sample is lost to it: what the environment fails is asked about.
      return { ...(await untilMended(work, mended)) };
    } catch (error) {
      if (isCancellation(error) || !isReportable(error)) throw error;
      // Every sample that needs the reference then fails with this code; the cohort and the other modalities go on.
      const { code, message } = stepFailure(error);
      return { referenceFailure: { code, message } };
    }
  };
  let ready = prepared.genomics > 0 ? withReference() : Promise.resolve<JsonObject>({});
  const reference = await ready;
  fanOut.beforeRound = () => {
    // Whoever retries its samples may have mended it.
    ready = ready.then((before) => ('referenceFailure' in before ? withReference() : before));
    return ready;
  };
  for (;;) {
    state.enter('running');
    const counts = await fanOut.run(reference);
    state.enter('joining');
    const { list, units } = await untilMended(
      () => cohort.listFinished({ output, runId, modality: 'genomics' }),
      mended,
    );
    const featureGroups: FeatureGroupResult[] = [];
    if (units > 0) {
      const matrix = await cohortStep(context, 'expression', 'genomics.matrix', {}, { samples: [list] }, 'genomics', {
        mended,
      });
      const rows = `${output}/genomics/expression-tpm.csv`;
      if (matrix.outcome === 'failed') featureGroups.push(matrix);
      else featureGroups.push(await writeFeatureGroup(context, input, 'genomics', rows, mended));
    }
    if (!fanOut.goesOn()) return { counts, featureGroups };
  }
}

/** All samples of a cohort, one child workflow each, on one transcript index. A failed sample never fails the cohort. */
export async function genomicsCohort(raw: unknown): Promise<CohortResult | ModalityResult> {
  const input = orFail(() => {
    const checked = checkInput<GenomicsCohortInput>('genomicsCohort', GENOMICS_COHORT_RULES, raw);
    fanOutChoice(checked, 'genomics');
    return checked;
  });
  const state = new CohortState();
  return asRootOrPart(input, ['genomics'], state, 'genomics', (prepared) => genomicsPart(input, prepared, state));
}
