import { symmetricEigenvalues } from './eigenvalues.js';
import { EPSILON, averageOver, offsetLength, type FamilyInput } from './family.js';
import { coOccurrences } from './glcm-matrix.js';

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

interface Joint {
  /** n × n probabilities, row-major. */
  readonly p: Float64Array;
  /** Grey level per row and column. */
  readonly levels: Float64Array;
  readonly rows: Float64Array;
  readonly columns: Float64Array;
  readonly symmetrical: boolean;
}

function marginals(p: Float64Array, n: number): { rows: Float64Array; columns: Float64Array } {
  const rows = new Float64Array(n);
  const columns = new Float64Array(n);
  for (let a = 0, at = 0; a < n; a += 1) {
    for (let b = 0; b < n; b += 1, at += 1) {
      rows[a]! += p[at]!;
      columns[b]! += p[at]!;
    }
  }
  return { rows, columns };
}

/**
 * Maximal correlation coefficient: square root of the second largest eigenvalue of Q = Σ_k p(i,k) p(j,k) / (p_x(i) p_y(k)).
 * Q is similar to M Mᵀ with M = p / √(p_x p_y), which is symmetric. 1 where fewer than two levels occur.
 */
function maximalCorrelation({ p, rows, columns, symmetrical }: Joint): number {
  const n = rows.length;
  if (n < 2) return 1;
  const m = new Float64Array(n * n);
  for (let a = 0, at = 0; a < n; a += 1)
    for (let b = 0; b < n; b += 1, at += 1) if (p[at]! > 0) m[at] = p[at]! / Math.sqrt(rows[a]! * columns[b]!);
  if (symmetrical) {
    const squares = symmetricEigenvalues(m, n).map((value) => value * value);
    return Math.sqrt(squares.sort()[n - 2]!);
  }
  const product = new Float64Array(n * n);
  for (let a = 0; a < n; a += 1) {
    for (let b = 0; b <= a; b += 1) {
      let sum = 0;
      for (let k = 0; k < n; k += 1) sum += m[a * n + k]! * m[b * n + k]!;
      product[a * n + b] = sum;
      product[b * n + a] = sum;
    }
  }
  return Math.sqrt(Math.max(0, symmetricEigenvalues(product, n)[n - 2]!));
}

/** First and second information measures of correlation. */
function informationMeasures({ p, rows, columns }: Joint, joint: number): { imc1: number; imc2: number } {
  const n = rows.length;
  let crossed = 0;
  let independent = 0;
  for (let a = 0, at = 0; a < n; a += 1) {
    for (let b = 0; b < n; b += 1, at += 1) {
      const product = rows[a]! * columns[b]!;
      const log = Math.log2(product + EPSILON);
      crossed -= p[at]! * log;
      independent -= product * log;
    }
  }
  const largest = Math.max(entropy(rows), entropy(columns));
  const imc1 = largest === 0 ? 0 : (joint - crossed) / largest;
  const inside = 1 - Math.exp(-2 * (independent - joint));
  return { imc1, imc2: independent === joint ? 0 : Math.sqrt(inside) };
}

function featuresOf(joint: Joint, highest: number): Record<string, number> {
  const { p, levels, rows, columns } = joint;
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
  for (let a = 0, at = 0; a < n; a += 1) {
    for (let b = 0; b < n; b += 1, at += 1) {
      const q = p[at]!;
      if (q === 0) continue;
      const i = levels[a]!;
      const j = levels[b]!;
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
  const jointEntropy = entropy(p);
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
  const values = Float64Array.from(levels.present);
  const featuresOfCounts = (counts: Float64Array, total: number): Record<string, number> => {
    const p = counts.map((count) => count / total);
    return featuresOf({ p, levels: values, ...marginals(p, n), symmetrical }, levels.highest);
  };
  const matrices = coOccurrences(levels, roi.size, neighbourhood, symmetrical);
  if (weighting === undefined) {
    const perAngle: Record<string, number>[] = [];
    for (const { counts, total } of matrices) perAngle.push(featuresOfCounts(counts, total));
    // One level needs no neighbour to be fully correlated with itself.
    const alone = n < 2 ? { MCC: 1 } : {};
    return { ...averageOver(perAngle, GLCM_NAMES), ...alone };
  }
  const sum = new Float64Array(n * n);
  let weighted = 0;
  for (const { offset, counts, total } of matrices) {
    const weight = weighting === 'no_weighting' ? 1 : Math.exp(-(offsetLength(offset, roi.spacing, weighting) ** 2));
    counts.forEach((count, at) => (sum[at]! += weight * count));
    weighted += weight * total;
  }
  return weighted === 0 ? averageOver([], GLCM_NAMES) : featuresOfCounts(sum, weighted);
}
