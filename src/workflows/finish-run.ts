import { CancellationScope, allHandlersFinished, condition, isCancellation } from '@temporalio/workflow';
import type { DatasetChoice, CommonInput, PreparedRun } from '../contracts/inputs.js';
import type { ClinicalResult, CohortResult, FeatureGroupResult, ModalityResult } from '../contracts/results.js';
import type { JsonObject } from '../steps/step.js';
import { cohortFiles, quick } from './activities.js';
import type { CohortState } from './cohort-state.js';
import { cohortStep } from './cohort-step.js';
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
    ...(input.population === undefined ? {} : { population: input.population }),
    ...(input.genes === undefined ? {} : { genes: input.genes }),
  };
}

/**
 * The end of a run, whoever is its root: the table of outcomes, the joined data set, the report, run.json. Writes the
 * outcomes and run.json after a cancellation too.
 */
export async function finishRun(
  input: CommonInput & DatasetChoice,
  prepared: PreparedRun,
  parts: RunParts,
  state: CohortState,
): Promise<CohortResult> {
  const { output } = input;
  const { runId, cases } = prepared;
  const run = { output, runId, force: input.force ?? false };
  const outcomes = await cohortFiles.compactOutcomes({ output, runId, state: 'finished' });

  state.enter('joining');
  const clinical = parts.clinical?.outcome === 'done' || parts.clinical?.outcome === 'reused';
  const expression = parts.genomics?.featureGroups.some(
    ({ group, outcome }) => group === 'genomics' && outcome !== 'failed',
  );
  const inputs = {
    cases: [outcomes.cases],
    ...(clinical ? { clinical: [`${output}/clinical/features.csv`], dropped: [`${output}/clinical/dropped.csv`] } : {}),
    ...(expression === true ? { expression: [`${output}/genomics/expression-tpm.csv`] } : {}),
  };
  const dataset = await cohortStep(run, 'dataset', 'dataset.join', datasetParams(input, parts.clinical), inputs, '');

  const groups = [
    ...(parts.imaging?.featureGroups ?? []),
    ...(parts.genomics?.featureGroups ?? []),
    ...(parts.clinical?.group === undefined ? [] : [parts.clinical.group]),
  ];
  const failures = countFailures(parts, [...groups, dataset]);
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
    failures,
  };
  // Before the report, which shows it.
  await quick.closeRun({ output, runId, state: 'finished', result: { ...result } as unknown as JsonObject });

  state.enter('reporting');
  const report = await cohortStep(run, 'report', 'report.render', {}, { output: [output] }, '');
  await condition(allHandlersFinished);
  state.enter('finished');
  if (prepared.searchAttributes === true) markFailures(failures);
  return {
    ...result,
    ...(report.file === undefined ? {} : { report: `${output}/report.html` }),
    failures: failures + (report.outcome === 'failed' ? 1 : 0),
  };
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
        await cohortFiles.compactOutcomes({ output, runId, state: 'cancelled' });
        await quick.closeRun({ output, runId, state: 'cancelled' });
      });
    }
    throw error;
  }
}
