import { executeChild, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { CohortResult } from 'cohortflow';
import { imagingCohort } from 'cohortflow/workflows';
import type * as activities from './activities.js';

// The one line that puts cohortflow's workflows into this worker's bundle. Without it the plugin refuses to start.
export * from 'cohortflow/workflows';

const { announce } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

export interface NightlyInput {
  /** Cohort sheet, an absolute path that the worker can read. */
  readonly cohort: string;
  /** Folder of the results, absolute. */
  readonly output: string;
}

/** A workflow of our own: measures a cohort, then tells the team. */
export async function nightlyCohort(input: NightlyInput): Promise<string> {
  const result = (await executeChild(imagingCohort, {
    workflowId: `${workflowInfo().workflowId}/cohort`,
    args: [{ ...input, featureSet: 'seed' }],
  })) as CohortResult;
  const { done, reused, failed } = result.imaging ?? { done: 0, reused: 0, failed: 0 };
  return announce(`${done} done, ${reused} reused, ${failed} failed`);
}
