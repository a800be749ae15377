import { FIRST_ORDER_NAMES, firstOrderFeatures } from './first-order-features.js';
import { GLCM_NAMES, glcmFeatures } from './glcm-features.js';
import { GLDM_NAMES, gldmFeatures } from './gldm-features.js';
import { GLRLM_NAMES, glrlmFeatures } from './glrlm-features.js';
import { GLSZM_NAMES, glszmFeatures } from './glszm-features.js';
import { NGTDM_NAMES, ngtdmFeatures } from './ngtdm-features.js';
import { SHAPE_NAMES } from './shape-features.js';
import { SHAPE_2D_NAMES } from './shape2d-features.js';
import type { FamilyInput } from './family.js';

/** Feature families by pyradiomics' class names, in the order of its output. */
export type FamilyName = 'shape' | 'shape2D' | 'firstorder' | 'glcm' | 'gldm' | 'glrlm' | 'glszm' | 'ngtdm';

/** One family: its features, those that pyradiomics calls deprecated, and its function when it depends on grey values. */
export interface Family {
  readonly name: FamilyName;
  readonly features: readonly string[];
  /** Not computed unless asked for by name. */
  readonly deprecated: readonly string[];
  /** Computed for every filtered image; families without it are computed once, of the mask. */
  readonly ofImage?: (input: FamilyInput) => Record<string, number>;
}

/** The registry: the only list of families. */
export const FAMILIES: readonly Family[] = [
  { name: 'shape', features: SHAPE_NAMES, deprecated: ['Compactness1', 'Compactness2', 'SphericalDisproportion'] },
  { name: 'shape2D', features: SHAPE_2D_NAMES, deprecated: ['SphericalDisproportion'] },
  { name: 'firstorder', features: FIRST_ORDER_NAMES, deprecated: ['StandardDeviation'], ofImage: firstOrderFeatures },
  { name: 'glcm', features: GLCM_NAMES, deprecated: [], ofImage: glcmFeatures },
  { name: 'gldm', features: GLDM_NAMES, deprecated: [], ofImage: gldmFeatures },
  { name: 'glrlm', features: GLRLM_NAMES, deprecated: [], ofImage: glrlmFeatures },
  { name: 'glszm', features: GLSZM_NAMES, deprecated: [], ofImage: glszmFeatures },
  { name: 'ngtdm', features: NGTDM_NAMES, deprecated: [], ofImage: ngtdmFeatures },
];

/** A ready choice of features. */
export type FeatureSet = 'default' | 'seed';

/** Features of a family that a set takes. */
export function featuresOfSet(family: Family, set: FeatureSet): readonly string[] {
  const current = family.features.filter((name) => !family.deprecated.includes(name));
  if (set === 'default') return family.name === 'shape2D' ? [] : current;
  // The original counted 16 shape features in 3D and all of the other families, deprecated or not.
  return family.name === 'shape' ? [...current, 'Compactness1', 'Compactness2'] : family.features;
}

/** Names of all features of a set, as columns are called: `original_<class>_<Feature>`. */
export function featureNames(set: FeatureSet): string[] {
  return FAMILIES.flatMap((family) => featuresOfSet(family, set).map((name) => `original_${family.name}_${name}`));
}
