/**
 * Imaging without workflows: the geometry, file formats and measurements as plain functions, and the steps as units that a
 * host runs with its own {@link StepIo}.
 */
export { CohortflowError } from '../domain/errors.js';
export type { Geometry, Vec3, Volume, VoxelArray } from '../domain/geometry/volume.js';
export { affineRas, lpsToVoxel, voxelToLps } from '../domain/geometry/affine.js';
export { readNifti, type NiftiVolume } from '../domain/nifti/read.js';
export { writeNifti } from '../domain/nifti/write.js';
export {
  computeRadiomics,
  featureNames,
  parseParameterText,
  parseRadiomicsSettings,
  type FeatureSet,
  type RadiomicsResult,
  type RadiomicsSettings,
} from '../domain/radiomics/index.js';
export { convertStep, type ConvertParams, type ConvertSummary } from '../steps/imaging/convert.js';
export { radiomicsStep, type RadiomicsParams, type RadiomicsSummary } from '../steps/imaging/radiomics.js';
export { overlayStep, type OverlayParams } from '../steps/imaging/overlay.js';
export { runStepIntoFolder as runStep, type StepRequest, type StepResult } from '../app/step-folders.js';
export type { Step, StepCall, StepIo } from '../steps/step.js';
