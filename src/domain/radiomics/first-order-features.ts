import { EPSILON, type FamilyInput } from './family.js';
import { valuesInside } from './roi.js';

/** First-order features in pyradiomics' order; StandardDeviation is of the seed set only. */
export const FIRST_ORDER_NAMES = [
  '10Percentile',
  '90Percentile',
  'Energy',
  'Entropy',
  'InterquartileRange',
  'Kurtosis',
  'Maximum',
  'MeanAbsoluteDeviation',
  'Mean',
  'Median',
  'Minimum',
  'Range',
  'RobustMeanAbsoluteDeviation',
  'RootMeanSquared',
  'Skewness',
  'StandardDeviation',
  'TotalEnergy',
  'Uniformity',
  'Variance',
] as const;

/**
 * Percentile of ascending values by linear interpolation between ranks (numpy's default). Rounding goes numpy's way too:
 * Robust Mean Absolute Deviation takes or leaves a value that equals a percentile, and rank 70 × 0.1 is a little above 7.
 */
export function percentile(sorted: Float64Array, percent: number): number {
  const rank = (sorted.length - 1) * (percent / 100);
  const below = Math.floor(rank);
  const a = sorted[below]!;
  const b = sorted[Math.min(below + 1, sorted.length - 1)]!;
  const share = rank - below;
  return share < 0.5 ? a + (b - a) * share : b - (b - a) * (1 - share);
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function meanAbsoluteDeviation(values: Float64Array): number {
  const centre = mean(values);
  return mean(values.map((value) => Math.abs(value - centre)));
}

/**
 * First-order statistics of the grey values of a region (Zwanenburg et al., IBSI, section 3.3 and 3.4; definitions of
 * pyradiomics 3.0.1, whose Kurtosis is not reduced by 3). Entropy and Uniformity are of the discretised levels. A flat
 * region has Skewness and Kurtosis 0.
 */
export function firstOrderFeatures({ roi, levels, settings }: FamilyInput): Record<string, number> {
  const values = valuesInside(roi);
  const sorted = values.slice().sort();
  const n = values.length;
  const centre = mean(values);
  let energy = 0;
  let m2 = 0;
  let m3 = 0;
  let m4 = 0;
  for (const value of values) {
    const shifted = value + settings.shift;
    energy += shifted * shifted;
    const d = value - centre;
    m2 += d * d;
    m3 += d * d * d;
    m4 += d * d * d * d;
  }
  m2 /= n;
  m3 /= n;
  m4 /= n;
  let entropy = 0;
  let uniformity = 0;
  for (const count of levels.counts) {
    const p = count / n;
    entropy -= p * Math.log2(p + EPSILON);
    uniformity += p * p;
  }
  const p10 = percentile(sorted, 10);
  const p90 = percentile(sorted, 90);
  const minimum = sorted[0]!;
  const maximum = sorted[n - 1]!;
  return {
    '10Percentile': p10,
    '90Percentile': p90,
    Energy: energy,
    Entropy: entropy,
    InterquartileRange: percentile(sorted, 75) - percentile(sorted, 25),
    Kurtosis: m2 === 0 ? 0 : m4 / m2 ** 2,
    Maximum: maximum,
    MeanAbsoluteDeviation: meanAbsoluteDeviation(values),
    Mean: centre,
    Median: percentile(sorted, 50),
    Minimum: minimum,
    Range: maximum - minimum,
    RobustMeanAbsoluteDeviation: meanAbsoluteDeviation(values.filter((value) => value >= p10 && value <= p90)),
    RootMeanSquared: Math.sqrt(energy / n),
    Skewness: m2 === 0 ? 0 : m3 / m2 ** 1.5,
    StandardDeviation: Math.sqrt(m2),
    TotalEnergy: energy * roi.spacing[0] * roi.spacing[1] * roi.spacing[2],
    Uniformity: uniformity,
    Variance: m2,
  };
}
