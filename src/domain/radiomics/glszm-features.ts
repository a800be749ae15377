import type { FamilyInput } from './family.js';
import { zoneMatrix } from './glszm-matrix.js';
import { sizeStatistics } from './size-matrix.js';

/** GLSZM features in pyradiomics' order. */
export const GLSZM_NAMES = [
  'GrayLevelNonUniformity',
  'GrayLevelNonUniformityNormalized',
  'GrayLevelVariance',
  'HighGrayLevelZoneEmphasis',
  'LargeAreaEmphasis',
  'LargeAreaHighGrayLevelEmphasis',
  'LargeAreaLowGrayLevelEmphasis',
  'LowGrayLevelZoneEmphasis',
  'SizeZoneNonUniformity',
  'SizeZoneNonUniformityNormalized',
  'SmallAreaEmphasis',
  'SmallAreaHighGrayLevelEmphasis',
  'SmallAreaLowGrayLevelEmphasis',
  'ZoneEntropy',
  'ZonePercentage',
  'ZoneVariance',
] as const;

/** Size zone features (IBSI section 3.8; pyradiomics 3.0.1). One matrix, no directions. */
export function glszmFeatures({ roi, levels, settings }: FamilyInput): Record<string, number> {
  const s = sizeStatistics(zoneMatrix(levels, roi.size, settings.neighbourhood));
  return {
    GrayLevelNonUniformity: s.levelNonUniformity,
    GrayLevelNonUniformityNormalized: s.levelNonUniformityNormalized,
    GrayLevelVariance: s.levelVariance,
    HighGrayLevelZoneEmphasis: s.highLevelEmphasis,
    LargeAreaEmphasis: s.largeEmphasis,
    LargeAreaHighGrayLevelEmphasis: s.largeHighEmphasis,
    LargeAreaLowGrayLevelEmphasis: s.largeLowEmphasis,
    LowGrayLevelZoneEmphasis: s.lowLevelEmphasis,
    SizeZoneNonUniformity: s.sizeNonUniformity,
    SizeZoneNonUniformityNormalized: s.sizeNonUniformityNormalized,
    SmallAreaEmphasis: s.smallEmphasis,
    SmallAreaHighGrayLevelEmphasis: s.smallHighEmphasis,
    SmallAreaLowGrayLevelEmphasis: s.smallLowEmphasis,
    ZoneEntropy: s.entropy,
    ZonePercentage: s.percentage,
    ZoneVariance: s.sizeVariance,
  };
}
