import { isCancellation, workflowInfo } from '@temporalio/workflow';
import type { CommonInput, DatasetChoice } from '../contracts/inputs.js';
import type { FeatureGroupResult } from '../contracts/results.js';
import { remoteWork } from './activities.js';
import { cohortStep, type CohortStepContext } from './cohort-step.js';
import { isReportable, stepFailure } from './failures.js';
import type { Mended } from './mending.js';

/** The event time of all rows of one run, as the service wants it: whole seconds, UTC. */
function eventTime(): string {
  return workflowInfo()
    .startTime.toISOString()
    .replace(/\.\d+Z$/, 'Z');
}

/** Sends a group that was written to the feature store. A store that does not take it is a failed group, not the end. */
async function ingest(output: string, written: FeatureGroupResult): Promise<FeatureGroupResult> {
  try {
    const { group } = written;
    const { featureGroups, outcome, records, form, said } = await remoteWork().ingestFeatures({ output, group });
    const names = featureGroups.map(({ name }) => name);
    return { ...written, ingested: { outcome, records, form, said, featureGroups: names } };
  } catch (error) {
    if (isCancellation(error) || !isReportable(error)) throw error;
    const { code, message } = stepFailure(error);
    return { ...written, outcome: 'failed', code, message };
  }
}

/** Writes one feature group of this run, and sends it on; `rows` is the list or table the step reads, `idColumn` its id column. */
export async function writeFeatureGroup(
  context: CohortStepContext,
  input: CommonInput & Pick<DatasetChoice, 'genes'>,
  group: string,
  rows: string,
  mended: Mended,
  named: { readonly idColumn?: string } = {},
): Promise<FeatureGroupResult> {
  const params = {
    group,
    ...named,
    recordIdentifier: input.recordIdentifier ?? 'Case_ID',
    eventTimeName: input.eventTimeName ?? 'timestamp',
    ...(group === 'genomics' && input.genes !== undefined ? { genes: input.genes } : {}),
  };
  // The time of the run names the file and stamps the rows, but unchanged rows are not written again for it.
  const volatile = { eventTime: eventTime(), runId: context.runId };
  const folder = `features/${group}`;
  const written = await cohortStep(context, group, 'features.write', params, { rows: [rows] }, folder, {
    mended,
    volatile,
  });
  const sends = input.featureStore === 'sagemaker' && written.outcome !== 'failed';
  return sends ? ingest(context.output, written) : written;
}
