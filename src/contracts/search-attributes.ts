/**
 * Search attributes that the workflows set when the server has them: few, typed, no patient data. `RootWorkflowId`, which
 * every server has, lists a cohort's whole tree.
 */
export const SEARCH_ATTRIBUTES = {
  /** `imaging` or `genomics`, on studies, samples and lanes. */
  modality: 'CohortflowModality',
  /** The failure code of a study or sample that failed. */
  code: 'CohortflowCode',
  /** How much of a cohort did not come out, once it has ended. */
  failed: 'CohortflowFailed',
} as const;
