import { EPSILON, averageOver, offsetLength, type FamilyInput } from './family.js';
import { coOccurrences, sumOfCells, type Cells } from './glcm-matrix.js';
import { maximalCorrelation, type Joint } from './maximal-correlation.js';

/** GLCM features in pyradiomics' order. */
export const GLCM_NAMES = [
  'Autocorrelation',
  'ClusterProminence',
  'ClusterShade',
  'ClusterTendency',
  'Contrast',
  'Correlation',
  'DifferenceAverage',
  'DifferenceEntropy',
  'DifferenceVariance',
  'Id',
  'Idm',
  'Idmn',
  'Idn',
  'Imc1',
  'Imc2',
  'InverseVariance',
  'JointAverage',
  'JointEnergy',
  'JointEntropy',
  'MCC',
  'MaximumProbability',
  'SumAverage',
  'SumEntropy',
  'SumSquares',
] as const;

function entropy(probabilities: Float64Array): number {
  let sum = 0;
  for (const p of probabilities) if (p > 0) sum -= p * Math.log2(p + EPSILON);
  return sum;
}

/** Probabilities of the levels at a voxel and at its neighbour, by level index. */
function marginals({ rows, columns, weights }: Cells, n: number): Pick<Joint, 'rows' | 'columns'> {
  const px = new Float64Array(n);
  const py = new Float64Array(n);
  weights.forEach((p, at) => {
    px[rows[at]!]! += p;
    py[columns[at]!]! += p;
  });
  return { rows: px, columns: py };
}

/** Distinct values and how often each occurs. */
function tally(values: Float64Array): readonly (readonly [value: number, times: number])[] {
  const times = new Map<number, number>();
  for (const value of values) times.set(value, (times.get(value) ?? 0) + 1);
  return [...times];
}

/** First and second information measures of correlation. */
function informationMeasures({ cells, rows, columns }: Joint, joint: number): { imc1: number; imc2: number } {
  let crossed = 0;
  cells.weights.forEach((p, at) => {
    crossed -= p * Math.log2(rows[cells.rows[at]!]! * columns[cells.columns[at]!]! + EPSILON);
  });
  let independent = 0;
  // Marginals are counts of voxels, so a few values recur: their products need not be made for every pair of levels.
  const across = tally(columns);
  for (const [px, timesX] of tally(rows)) {
    for (const [py, timesY] of across) independent -= timesX * timesY * px * py * Math.log2(px * py + EPSILON);
  }
  const largest = Math.max(entropy(rows), entropy(columns));
  const imc1 = largest === 0 ? 0 : (joint - crossed) / largest;
  const inside = 1 - Math.exp(-2 * (independent - joint));
  return { imc1, imc2: independent === joint ? 0 : Math.sqrt(inside) };
}

function featuresOf(joint: Joint, levels: Int32Array, highest: number): Record<string, number> {
  const { cells, rows, columns } = joint;
  const n = levels.length;
  let ux = 0;
  let uy = 0;
  for (let a = 0; a < n; a += 1) {
    ux += levels[a]! * rows[a]!;
    uy += levels[a]! * columns[a]!;
  }
  const sums = new Float64Array(2 * highest + 1);
  const gaps = new Float64Array(highest);
  const total = { auto: 0, cp: 0, cs: 0, ct: 0, contrast: 0, xx: 0, yy: 0, xy: 0, energy: 0, most: 0 };
  for (let at = 0; at < cells.weights.length; at += 1) {
    const q = cells.weights[at]!;
    const i = levels[cells.rows[at]!]!;
    const j = levels[cells.columns[at]!]!;
    const dx = i - ux;
    const dy = j - uy;
    const d = dx + dy;
    sums[i + j]! += q;
    gaps[Math.abs(i - j)]! += q;
    total.auto += q * i * j;
    total.ct += q * d * d;
    total.cs += q * d * d * d;
    total.cp += q * d * d * d * d;
    total.contrast += q * (i - j) * (i - j);
    total.xx += q * dx * dx;
    total.yy += q * dy * dy;
    total.xy += q * dx * dy;
    total.energy += q * q;
    if (q > total.most) total.most = q;
  }
  let gapMean = 0;
  let id = 0;
  let idm = 0;
  let idn = 0;
  let idmn = 0;
  let inverse = 0;
  for (let k = 0; k < highest; k += 1) {
    const q = gaps[k]!;
    gapMean += k * q;
    id += q / (1 + k);
    idm += q / (1 + k * k);
    idn += q / (1 + k / highest);
    idmn += q / (1 + (k * k) / (highest * highest));
    if (k > 0) inverse += q / (k * k);
  }
  let gapVariance = 0;
  for (let k = 0; k < highest; k += 1) gapVariance += gaps[k]! * (k - gapMean) ** 2;
  const deviation = Math.sqrt(total.xx) * Math.sqrt(total.yy);
  const jointEntropy = entropy(cells.weights);
  const { imc1, imc2 } = informationMeasures(joint, jointEntropy);
  return {
    Autocorrelation: total.auto,
    ClusterProminence: total.cp,
    ClusterShade: total.cs,
    ClusterTendency: total.ct,
    Contrast: total.contrast,
    Correlation: deviation === 0 ? 1 : total.xy / (deviation + EPSILON),
    DifferenceAverage: gapMean,
    DifferenceEntropy: entropy(gaps),
    DifferenceVariance: gapVariance,
    Id: id,
    Idm: idm,
    Idmn: idmn,
    Idn: idn,
    Imc1: imc1,
    Imc2: imc2,
    InverseVariance: inverse,
    JointAverage: ux,
    JointEnergy: total.energy,
    JointEntropy: jointEntropy,
    MCC: maximalCorrelation(joint),
    MaximumProbability: total.most,
    SumAverage: sums.reduce((sum, q, k) => sum + k * q, 0),
    SumEntropy: entropy(sums),
    SumSquares: total.xx,
  };
}

/**
 * Co-occurrence features (IBSI section 3.6, averaged over directions; pyradiomics 3.0.1), or of the weighted sum of the
 * directions' matrices when a weighting is set. Where all pairs have one level Correlation and MCC are 1.
 */
export function glcmFeatures({ roi, levels, settings }: FamilyInput): Record<string, number> {
  const { neighbourhood, symmetrical, weighting } = settings;
  const n = levels.present.length;
  const featuresOfCells = (counts: Cells): Record<string, number> => {
    const cells = { ...counts, weights: counts.weights.map((weight) => weight / counts.total), total: 1 };
    return featuresOf({ cells, ...marginals(cells, n), symmetrical }, levels.present, levels.highest);
  };
  const matrices = coOccurrences(levels, roi.size, neighbourhood, symmetrical);
  if (weighting === undefined) {
    const perAngle: Record<string, number>[] = [];
    for (const { cells } of matrices) perAngle.push(featuresOfCells(cells));
    // One level needs no neighbour to be fully correlated with itself.
    const alone = n < 2 ? { MCC: 1 } : {};
    return { ...averageOver(perAngle, GLCM_NAMES), ...alone };
  }
  const parts: { cells: Cells; weight: number }[] = [];
  for (const { offset, cells } of matrices) {
    const weight = weighting === 'no_weighting' ? 1 : Math.exp(-(offsetLength(offset, roi.spacing, weighting) ** 2));
    parts.push({ cells, weight });
  }
  const sum = sumOfCells(parts, n);
  return sum.total === 0 ? averageOver([], GLCM_NAMES) : featuresOfCells(sum);
}
