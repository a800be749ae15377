import type { FamilyInput } from './family.js';
import { toneDifferences } from './ngtdm-matrix.js';

/** NGTDM features in pyradiomics' order. */
export const NGTDM_NAMES = ['Busyness', 'Coarseness', 'Complexity', 'Contrast', 'Strength'] as const;

/**
 * Neighbourhood grey tone difference features (IBSI section 3.10; pyradiomics 3.0.1). With no differences at all
 * Coarseness is 1e6 and the others are 0.
 */
export function ngtdmFeatures({ roi, levels, settings }: FamilyInput): Record<string, number> {
  const { levels: tones, shares, differences, total } = toneDifferences(levels, roi.size, settings.neighbourhood);
  const n = tones.length;
  if (n === 0) return Object.fromEntries(NGTDM_NAMES.map((name) => [name, NaN]));
  let coarse = 0;
  let sumDifferences = 0;
  for (let a = 0; a < n; a += 1) {
    coarse += shares[a]! * differences[a]!;
    sumDifferences += differences[a]!;
  }
  let contrast = 0;
  let busy = 0;
  let complexity = 0;
  let strength = 0;
  for (let a = 0; a < n; a += 1) {
    for (let b = 0; b < n; b += 1) {
      const gap = tones[a]! - tones[b]!;
      const pa = shares[a]!;
      const pb = shares[b]!;
      contrast += pa * pb * gap * gap;
      busy += Math.abs(tones[a]! * pa - tones[b]! * pb);
      complexity += (Math.abs(gap) * (pa * differences[a]! + pb * differences[b]!)) / (pa + pb);
      strength += (pa + pb) * gap * gap;
    }
  }
  const pairs = n * (n - 1);
  return {
    Busyness: busy === 0 ? 0 : coarse / busy,
    Coarseness: coarse === 0 ? 1e6 : 1 / coarse,
    Complexity: complexity / total,
    Contrast: pairs === 0 ? 0 : (contrast * sumDifferences) / total / pairs,
    Strength: sumDifferences === 0 ? 0 : strength / sumDifferences,
  };
}
