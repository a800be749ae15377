export { computeRadiomics, type ComputeOptions, type RadiomicsResult } from './compute.js';
export { parseParameterText } from './parameter-text.js';
export { correctsMask } from './corrects-mask.js';
export { parseRadiomicsSettings } from './parse-settings.js';
export { FAMILIES, featureNames, type FeatureSet } from './registry.js';
export { NULL_REASONS, type NullReason } from './family.js';
export type { RadiomicsSettings } from './settings.js';
