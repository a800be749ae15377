import { averageOver, offsetLength, type FamilyInput } from './family.js';
import { runMatrices } from './glrlm-matrix.js';
import { SizeMatrix, sizeStatistics } from './size-matrix.js';

/** GLRLM features in pyradiomics' order. */
export const GLRLM_NAMES = [
  'GrayLevelNonUniformity',
  'GrayLevelNonUniformityNormalized',
  'GrayLevelVariance',
  'HighGrayLevelRunEmphasis',
  'LongRunEmphasis',
  'LongRunHighGrayLevelEmphasis',
  'LongRunLowGrayLevelEmphasis',
  'LowGrayLevelRunEmphasis',
  'RunEntropy',
  'RunLengthNonUniformity',
  'RunLengthNonUniformityNormalized',
  'RunPercentage',
  'RunVariance',
  'ShortRunEmphasis',
  'ShortRunHighGrayLevelEmphasis',
  'ShortRunLowGrayLevelEmphasis',
] as const;

function featuresOf(matrix: SizeMatrix): Record<string, number> {
  const s = sizeStatistics(matrix);
  return {
    GrayLevelNonUniformity: s.levelNonUniformity,
    GrayLevelNonUniformityNormalized: s.levelNonUniformityNormalized,
    GrayLevelVariance: s.levelVariance,
    HighGrayLevelRunEmphasis: s.highLevelEmphasis,
    LongRunEmphasis: s.largeEmphasis,
    LongRunHighGrayLevelEmphasis: s.largeHighEmphasis,
    LongRunLowGrayLevelEmphasis: s.largeLowEmphasis,
    LowGrayLevelRunEmphasis: s.lowLevelEmphasis,
    RunEntropy: s.entropy,
    RunLengthNonUniformity: s.sizeNonUniformity,
    RunLengthNonUniformityNormalized: s.sizeNonUniformityNormalized,
    RunPercentage: s.percentage,
    RunVariance: s.sizeVariance,
    ShortRunEmphasis: s.smallEmphasis,
    ShortRunHighGrayLevelEmphasis: s.smallHighEmphasis,
    ShortRunLowGrayLevelEmphasis: s.smallLowEmphasis,
  };
}

/**
 * Run length features (IBSI section 3.7, averaged over directions; pyradiomics 3.0.1), or of the weighted sum of the
 * directions' matrices when a weighting is set.
 */
export function glrlmFeatures({ roi, levels, settings }: FamilyInput): Record<string, number> {
  const runs = runMatrices(levels, roi.size, settings.neighbourhood);
  const { weighting } = settings;
  if (weighting === undefined) {
    return averageOver(
      runs.map(({ matrix }) => featuresOf(matrix)),
      GLRLM_NAMES,
    );
  }
  const sum = new SizeMatrix(Math.max(...roi.size));
  for (const { offset, matrix } of runs) {
    sum.addWeighted(matrix, weighting === 'no_weighting' ? 1 : offsetLength(offset, roi.spacing, weighting));
  }
  // pyradiomics sums over no runs at all here, where without a weighting it has nothing to average.
  const nothing = sum.total === 0 ? { RunEntropy: 0, RunVariance: 0 } : {};
  return { ...featuresOf(sum), ...nothing };
}
