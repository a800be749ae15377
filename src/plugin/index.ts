/** cohortflow as a plugin of the Temporal SDK's Worker and Client. */
export { CohortflowPlugin } from './cohortflow-plugin.js';
export type { CohortflowPluginOptions } from './options.js';
export { CohortflowError } from '../domain/errors.js';
export type { WorkerRole } from '../config/config.js';
export type { CohortResult, ModalityResult } from '../contracts/results.js';
export type { UnitCounts, UnitResult } from '../contracts/outcome.js';
export type { ClinicalInput, GenomicsCohortInput, ImagingCohortInput, MultimodalInput } from '../contracts/inputs.js';
