import { workflowInfo } from '@temporalio/workflow';
import type { CommonInput } from '../contracts/inputs.js';
import type { FeatureGroupResult } from '../contracts/results.js';
import { cohortStep, type CohortStepContext } from './cohort-step.js';

/** The event time of all rows of one run, as the service wants it: whole seconds, UTC. */
function eventTime(): string {
  return workflowInfo()
    .startTime.toISOString()
    .replace(/\.\d+Z$/, 'Z');
}

/** Writes one feature group of this run; `rows` is the list or table the step reads. */
export function writeFeatureGroup(
  context: CohortStepContext,
  input: CommonInput,
  group: string,
  rows: string,
): Promise<FeatureGroupResult> {
  const params = {
    group,
    recordIdentifier: input.recordIdentifier ?? 'Case_ID',
    eventTimeName: input.eventTimeName ?? 'timestamp',
  };
  // The time of the run names the file and stamps the rows, but unchanged rows are not written again for it.
  const volatile = { eventTime: eventTime(), runId: context.runId };
  return cohortStep(context, group, 'features.write', params, { rows: [rows] }, `features/${group}`, volatile);
}
