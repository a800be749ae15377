import { CancellationScope, allHandlersFinished, condition, isCancellation, setHandler } from '@temporalio/workflow';
import { fanOutChoice, widthNote, type FanOutFields } from '../contracts/fan-out-choice.js';
import { widthLimit, type DatasetChoice, type CommonInput, type PreparedRun } from '../contracts/inputs.js';
import { unitsHaveEnded, type InterimReport } from '../contracts/control.js';
import type { ClinicalResult, CohortResult, FeatureGroupResult, ModalityResult } from '../contracts/results.js';
import type { JsonObject } from '../steps/step.js';
import { cohort } from './activities.js';
import type { CohortState } from './cohort-state.js';
import { cohortStep, stepContext, type CohortStepContext } from './cohort-step.js';
import { orFail } from './failures.js';
import { untilMended, type Mended } from './mending.js';
import { reportUpdate } from './messages.js';
import { markFailures } from './search-attributes.js';

/** What the parts of a run came to. */
export interface RunParts {
  readonly imaging?: ModalityResult;
  readonly genomics?: ModalityResult;
  readonly clinical?: ClinicalResult;
}

/** How many things of a run did not come out; what decides between exit code 0 and 3. */
function countFailures(parts: RunParts, tables: readonly (FeatureGroupResult | undefined)[]): number {
  const units = (parts.imaging?.counts.failed ?? 0) + (parts.genomics?.counts.failed ?? 0);
  const clinical = parts.clinical?.outcome === 'failed' ? 1 : 0;
  return units + clinical + tables.filter((table) => table?.outcome === 'failed').length;
}

function datasetParams(input: DatasetChoice, clinical: ClinicalResult | undefined): JsonObject {
  return {
    ...(clinical?.outcome === 'failed' ? { clinicalFailure: clinical.code ?? 'InternalError' } : {}),
    ...(clinical?.idColumn === undefined ? {} : { clinicalId: clinical.idColumn }),
    ...(input.population === undefined ? {} : { population: input.population }),
    ...(input.genes === undefined ? {} : { genes: input.genes }),
  };
}

/** How wide the modalities ran, where that is not what was asked for. */
function notesOf(input: FanOutFields, prepared: PreparedRun): readonly string[] {
  return (['imaging', 'genomics'] as const).flatMap((name) => {
    const limit = prepared[name] === 0 ? undefined : widthLimit(prepared, name);
    const note = limit === undefined ? undefined : widthNote(fanOutChoice(input, name).concurrency, limit);
    return note === undefined ? [] : [`${name}: ${note}`];
  });
}

/** Joins the data set of what there is: the compacted outcomes and whatever modalities have come to. */
function joinDataset(
  input: CommonInput & DatasetChoice,
  run: CohortStepContext,
  parts: RunParts,
  cases: string,
  mended?: Mended,
): Promise<FeatureGroupResult> {
  const { output } = input;
  const clinical = parts.clinical?.outcome === 'done' || parts.clinical?.outcome === 'reused';
  const expression = parts.genomics?.featureGroups.some(
    // A group that has its file was written, whatever the feature store did not take of it.
    ({ group, outcome, file }) => group === 'genomics' && (outcome !== 'failed' || file !== undefined),
  );
  const inputs = {
    cases: [cases],
    ...(clinical ? { clinical: [`${output}/clinical/features.csv`], dropped: [`${output}/clinical/dropped.csv`] } : {}),
    ...(expression === true ? { expression: [`${output}/genomics/expression-tpm.csv`] } : {}),
  };
  return cohortStep(run, 'dataset', 'dataset.join', datasetParams(input, parts.clinical), inputs, '', { mended });
}

/**
 * Writes the report, always anew: what it shows changes without anything that a step is compared by.
 *
 * @param told what run.json does not have yet
 */
function renderReport(run: CohortStepContext, told?: JsonObject, mended?: Mended): Promise<FeatureGroupResult> {
  const volatile = told === undefined ? {} : { volatile: { run: told } };
  const always = { ...run, force: true };
  return cohortStep(always, 'report', 'report.render', {}, { output: [run.output] }, '', { mended, ...volatile });
}

/**
 * The data set and the report of a run that is under way, of the cases that have ended; the end of the run writes them
 * anew.
 */
export async function interimReport(
  input: CommonInput & DatasetChoice,
  prepared: PreparedRun,
  parts: RunParts,
): Promise<InterimReport> {
  const { output } = input;
  const { runId } = prepared;
  const run = { output, runId, force: false };
  const { cases } = await cohort.compactOutcomes({ output, runId, state: 'running' });
  const dataset = await joinDataset(input, run, parts, cases);
  const report = await renderReport(run);
  const code = dataset.code ?? report.code;
  return {
    ...(report.file === undefined ? {} : { report: `${output}/report.html` }),
    ...(code === undefined ? {} : { code }),
  };
}

/**
 * The end of a run, whoever is its root: the table of outcomes, the joined data set, the report, run.json. Writes the
 * outcomes and run.json after a cancellation too.
 */
export async function finishRun(
  input: CommonInput & DatasetChoice & FanOutFields,
  prepared: PreparedRun,
  parts: RunParts,
  state: CohortState,
): Promise<CohortResult> {
  const { output } = input;
  const { runId, cases } = prepared;
  const run = stepContext(input, prepared);
  state.enter('joining');
  // A report that someone asked for in between writes the same files.
  await condition(allHandlersFinished);
  const mended: Mended = (trip) => state.mended(trip);
  const outcomes = await untilMended(() => cohort.compactOutcomes({ output, runId, state: 'finished' }), mended);
  const dataset = await joinDataset(input, run, parts, outcomes.cases, mended);

  const groups = [
    ...(parts.imaging?.featureGroups ?? []),
    ...(parts.genomics?.featureGroups ?? []),
    ...(parts.clinical?.group === undefined ? [] : [parts.clinical.group]),
  ];
  const failures = countFailures(parts, [...groups, dataset]);
  const notes = notesOf(input, prepared);
  const result: CohortResult = {
    runId,
    output,
    cases,
    ...(parts.imaging === undefined ? {} : { imaging: parts.imaging.counts }),
    ...(parts.genomics === undefined ? {} : { genomics: parts.genomics.counts }),
    ...(parts.clinical === undefined ? {} : { clinical: parts.clinical }),
    featureGroups: groups,
    dataset,
    outcomes: outcomes.file,
    ...(notes.length === 0 ? {} : { notes }),
    ...(outcomes.costs === undefined ? {} : { costs: outcomes.costs }),
    failures,
  };
  const joinedAt = new Date().toISOString();
  state.enter('reporting');
  const report = await renderReport(run, { result: { ...result } as unknown as JsonObject, joinedAt }, mended);
  const ended: CohortResult = {
    ...result,
    ...(report.file === undefined ? {} : { report: `${output}/report.html` }),
    failures: failures + (report.outcome === 'failed' ? 1 : 0),
  };
  // Last of all: while something is still waited for the folder is this run's.
  const said = { ...ended } as unknown as JsonObject;
  await untilMended(() => cohort.closeRun({ output, runId, state: 'finished', joinedAt, result: said }), mended);
  await condition(allHandlersFinished);
  state.enter('finished');
  if (prepared.searchAttributes === true) markFailures(failures);
  return ended;
}

/**
 * Runs the body of a root workflow and, when it is cancelled, still writes the outcomes and closes the run before the
 * cancellation goes on.
 */
export async function closingOnCancel<T>(output: string, runId: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (isCancellation(error)) {
      await CancellationScope.nonCancellable(async () => {
        await cohort.compactOutcomes({ output, runId, state: 'cancelled' });
        await cohort.closeRun({ output, runId, state: 'cancelled' });
      });
    }
    throw error;
  }
}

/** Makes a root workflow write the report of what has ended so far, when it is asked to; one at a time. */
export function heedReport(
  input: CommonInput & DatasetChoice,
  prepared: PreparedRun,
  parts: () => RunParts,
  state: CohortState,
): void {
  let last: Promise<unknown> = Promise.resolve();
  const write = (): Promise<InterimReport> => {
    const next = last.then(() => interimReport(input, prepared, parts()));
    last = next.catch(() => undefined);
    return next;
  };
  setHandler(reportUpdate, write, {
    validator: () =>
      orFail(() => {
        // The run itself is prepared; what a cohort of reads prepares now is its reference.
        if (state.phase !== 'preparing' && state.phase !== 'running') throw unitsHaveEnded();
      }),
  });
}
