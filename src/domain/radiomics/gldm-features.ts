import type { FamilyInput } from './family.js';
import { dependenceMatrix } from './gldm-matrix.js';
import { sizeStatistics } from './size-matrix.js';

/** GLDM features in pyradiomics' order. */
export const GLDM_NAMES = [
  'DependenceEntropy',
  'DependenceNonUniformity',
  'DependenceNonUniformityNormalized',
  'DependenceVariance',
  'GrayLevelNonUniformity',
  'GrayLevelVariance',
  'HighGrayLevelEmphasis',
  'LargeDependenceEmphasis',
  'LargeDependenceHighGrayLevelEmphasis',
  'LargeDependenceLowGrayLevelEmphasis',
  'LowGrayLevelEmphasis',
  'SmallDependenceEmphasis',
  'SmallDependenceHighGrayLevelEmphasis',
  'SmallDependenceLowGrayLevelEmphasis',
] as const;

/** Dependence features (IBSI section 3.11, NGLDM; pyradiomics 3.0.1). */
export function gldmFeatures({ roi, levels, settings }: FamilyInput): Record<string, number> {
  const { neighbourhood, dependence } = settings;
  const s = sizeStatistics(dependenceMatrix(levels, roi.size, neighbourhood, dependence));
  return {
    DependenceEntropy: s.entropy,
    DependenceNonUniformity: s.sizeNonUniformity,
    DependenceNonUniformityNormalized: s.sizeNonUniformityNormalized,
    DependenceVariance: s.sizeVariance,
    GrayLevelNonUniformity: s.levelNonUniformity,
    GrayLevelVariance: s.levelVariance,
    HighGrayLevelEmphasis: s.highLevelEmphasis,
    LargeDependenceEmphasis: s.largeEmphasis,
    LargeDependenceHighGrayLevelEmphasis: s.largeHighEmphasis,
    LargeDependenceLowGrayLevelEmphasis: s.largeLowEmphasis,
    LowGrayLevelEmphasis: s.lowLevelEmphasis,
    SmallDependenceEmphasis: s.smallEmphasis,
    SmallDependenceHighGrayLevelEmphasis: s.smallHighEmphasis,
    SmallDependenceLowGrayLevelEmphasis: s.smallLowEmphasis,
  };
}
