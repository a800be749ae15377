import { condition, defineSignal, executeChild, proxyActivities, setHandler, workflowInfo } from '@temporalio/workflow';
import type { CohortResult } from 'cohortflow';
import { imagingCohort } from 'cohortflow/workflows';
import type * as activities from './activities.js';

export * from 'cohortflow/workflows';

const { askForReview } = proxyActivities<typeof activities>({ startToCloseTimeout: '1 minute' });

export const approve = defineSignal('approve');

export interface ReviewedInput {
  readonly cohort: string;
  readonly output: string;
  /** Failed studies that need no review. */
  readonly mostFailed: number;
}

export type Review = 'not needed' | 'approved' | 'nobody answered';

/** Measures a cohort; where many studies failed, someone has a week to approve it. */
export async function reviewedCohort({ cohort, output, mostFailed }: ReviewedInput): Promise<Review> {
  let approved = false;
  setHandler(approve, () => {
    approved = true;
  });
  const { imaging } = (await executeChild(imagingCohort, {
    workflowId: `${workflowInfo().workflowId}/cohort`,
    args: [{ cohort, output }],
  })) as CohortResult;
  const failed = imaging?.failed ?? 0;
  if (failed <= mostFailed) return 'not needed';
  await askForReview(failed);
  return (await condition(() => approved, '7 days')) ? 'approved' : 'nobody answered';
}
