type Workflows = typeof import('../workflows/index.js');

/** Every workflow that `cohortflow/workflows` exports: what a host's bundle must hold. */
export const WORKFLOW_TYPES = [
  'multimodalCohort',
  'imagingCohort',
  'imagingStudy',
  'genomicsCohort',
  'genomicsSample',
  'clinicalFeatures',
  'cohortLane',
  'resourcePool',
  'sweepRemoteWork',
] as const satisfies readonly (keyof Workflows)[];

/** Does not compile while a workflow is missing from the list. */
export type NoneMissing = Exclude<keyof Workflows, (typeof WORKFLOW_TYPES)[number]> extends never ? true : never;
export const COMPLETE: NoneMissing = true;
