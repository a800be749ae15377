/** The workflows of cohortflow: the exported names are the workflow types that clients start. */
export { multimodalCohort } from './multimodal-cohort.js';
export { imagingCohort } from './imaging-cohort.js';
export { imagingStudy } from './imaging-study.js';
export { genomicsCohort } from './genomics-cohort.js';
export { genomicsSample } from './genomics-sample.js';
export { clinicalFeatures } from './clinical-features.js';
export { cohortLane } from './cohort-lane.js';
export { resourcePool } from './resource-pool.js';
export { sweepRemoteWork } from './sweep-remote-work.js';
