/**
 * For your own tests of workflows that call cohortflow's: typed mocks of every activity, and workers for the SDK's
 * time-skipping server.
 */
export {
  mockActivities,
  type AliveWork,
  type MockActivities,
  type MockOptions,
  type MockedStep,
  type RemoteBehaviour,
} from './mock-activities.js';
export { failing, lasting, perCase, succeeding, type StepBehaviour, type WhichAttempts } from './behaviours.js';
export { genomicsUnits, imagingUnits, type Cases } from './units.js';
export { withMockWorkers, type MockWorkersOptions } from './mock-workers.js';
export { firstTaskDone, resultInSimulatedTime } from './simulated-time.js';
export { CohortflowError } from '../domain/errors.js';
export type { FailureCode } from '../domain/failures/index.js';
export type { CohortUnit, GenomicsUnit, ImagingUnit } from '../domain/cohort/manifest.js';
export type { CohortActivities, StepActivities, StepReport, StepRequest } from '../contracts/activities.js';
export type { RemoteRequest, RemoteTicket } from '../contracts/remote-work.js';
export type { ServiceActivities } from '../contracts/service-activities.js';
export type { OutcomeRecord, UnitCounts, UnitResult } from '../contracts/outcome.js';
export type { CohortResult, ModalityResult } from '../contracts/results.js';
export type { ClinicalInput, GenomicsCohortInput, ImagingCohortInput, MultimodalInput } from '../contracts/inputs.js';
