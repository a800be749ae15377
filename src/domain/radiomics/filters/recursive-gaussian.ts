/**
 * Recursive approximation of Gaussian smoothing and of its second derivative along lines (Deriche 1993; Farnebäck and
 * Westin 2006, fourth order), with the coefficients and the boundary treatment of ITK's RecursiveGaussianImageFilter: the
 * line is taken to go on for ever with its first and last value.
 */

/** Coefficients of the causal (n) and anticausal (m) parts, the feedback (d), and of the two boundaries (bn, bm). */
export interface LineFilter {
  readonly n: readonly [number, number, number, number];
  readonly m: readonly [number, number, number, number];
  readonly d: readonly [number, number, number, number];
  readonly bn: readonly [number, number, number, number];
  readonly bm: readonly [number, number, number, number];
}

/** Fewer samples than this cannot be filtered. */
export const SHORTEST_LINE = 4;

const W1 = 0.6681;
const L1 = -1.3932;
const W2 = 2.0787;
const L2 = -1.3732;
/** Fit of the Gaussian and of its second derivative: a1, b1, a2, b2. */
const SMOOTH = [1.353, 1.8151, -0.3531, 0.0902] as const;
const SECOND = [-1.3563, 5.2318, 0.3446, -2.2355] as const;

interface Numerator {
  readonly n: readonly [number, number, number, number];
  readonly sum: number;
  readonly first: number;
  readonly second: number;
}

function numerator(sigma: number, [a1, b1, a2, b2]: readonly [number, number, number, number]): Numerator {
  const [sin1, cos1, exp1] = [Math.sin(W1 / sigma), Math.cos(W1 / sigma), Math.exp(L1 / sigma)];
  const [sin2, cos2, exp2] = [Math.sin(W2 / sigma), Math.cos(W2 / sigma), Math.exp(L2 / sigma)];
  const n0 = a1 + a2;
  const n1 = exp2 * (b2 * sin2 - (a2 + 2 * a1) * cos2) + exp1 * (b1 * sin1 - (a1 + 2 * a2) * cos1);
  const mixed = (a1 + a2) * cos2 * cos1 - (b1 * cos2 * sin1 + b2 * cos1 * sin2);
  const n2 = 2 * exp1 * exp2 * mixed + a2 * exp1 * exp1 + a1 * exp2 * exp2;
  const n3 = exp2 * exp1 * exp1 * (b2 * sin2 - a2 * cos2) + exp1 * exp2 * exp2 * (b1 * sin1 - a1 * cos1);
  return { n: [n0, n1, n2, n3], sum: n0 + n1 + n2 + n3, first: n1 + 2 * n2 + 3 * n3, second: n1 + 4 * n2 + 9 * n3 };
}

function denominator(sigma: number): { d: LineFilter['d']; sum: number; first: number; second: number } {
  const [cos1, exp1] = [Math.cos(W1 / sigma), Math.exp(L1 / sigma)];
  const [cos2, exp2] = [Math.cos(W2 / sigma), Math.exp(L2 / sigma)];
  const d4 = exp1 * exp1 * exp2 * exp2;
  const d3 = -2 * cos1 * exp1 * exp2 * exp2 - 2 * cos2 * exp2 * exp1 * exp1;
  const d2 = 4 * cos2 * cos1 * exp1 * exp2 + exp1 * exp1 + exp2 * exp2;
  const d1 = -2 * (exp2 * cos2 + exp1 * cos1);
  return {
    d: [d1, d2, d3, d4],
    sum: 1 + d1 + d2 + d3 + d4,
    first: d1 + 2 * d2 + 3 * d3 + 4 * d4,
    second: d1 + 4 * d2 + 9 * d3 + 16 * d4,
  };
}

function complete(n: LineFilter['n'], d: LineFilter['d'], sumD: number): LineFilter {
  const m = [n[1] - d[0] * n[0], n[2] - d[1] * n[0], n[3] - d[2] * n[0], -d[3] * n[0]] as const;
  const sumN = n[0] + n[1] + n[2] + n[3];
  const sumM = m[0] + m[1] + m[2] + m[3];
  const times = (factor: number): LineFilter['d'] =>
    d.map((value) => (value * factor) / sumD) as unknown as LineFilter['d'];
  return { n, m, d, bn: times(sumN), bm: times(sumM) };
}

function scaled(n: LineFilter['n'], factor: number): LineFilter['n'] {
  return n.map((value) => value * factor) as unknown as LineFilter['n'];
}

/** Smoothing by a Gaussian of `sigma` samples. */
export function smoothing(sigma: number): LineFilter {
  const { n, sum } = numerator(sigma, SMOOTH);
  const { d, sum: sumD } = denominator(sigma);
  const alpha = (2 * sum) / sumD - n[0];
  return complete(scaled(n, 1 / alpha), d, sumD);
}

/** Second derivative of a Gaussian of `sigma` samples, times `sigma`² (normalised across scale). */
export function secondDerivative(sigma: number): LineFilter {
  const smooth = numerator(sigma, SMOOTH);
  const second = numerator(sigma, SECOND);
  const { d, sum: sumD, first: firstD, second: secondD } = denominator(sigma);
  const beta = -(2 * second.sum - sumD * second.n[0]) / (2 * smooth.sum - sumD * smooth.n[0]);
  const n = second.n.map((value, at) => value + beta * smooth.n[at]!) as unknown as LineFilter['n'];
  const sum = second.sum + beta * smooth.sum;
  const firstN = second.first + beta * smooth.first;
  const secondN = second.second + beta * smooth.second;
  const alpha =
    (secondN * sumD * sumD - secondD * sum * sumD - 2 * firstN * firstD * sumD + 2 * firstD * firstD * sum) / sumD ** 3;
  return complete(scaled(n, (sigma * sigma) / alpha), d, sumD);
}

/** Filters one line of `length` samples in place; `work` and `out` hold at least as many. */
export function filterLine(
  line: Float64Array,
  length: number,
  filter: LineFilter,
  work: Float64Array,
  out: Float64Array,
): void {
  const [n0, n1, n2, n3] = filter.n;
  const [m1, m2, m3, m4] = filter.m;
  const [d1, d2, d3, d4] = filter.d;
  const before = line[0]!;
  const after = line[length - 1]!;
  const [bn1, bn2, bn3, bn4] = filter.bn;
  const [bm1, bm2, bm3, bm4] = filter.bm;
  work[0] = line[0]! * n0 + before * (n1 + n2 + n3) - before * (bn1 + bn2 + bn3 + bn4);
  work[1] = line[1]! * n0 + line[0]! * n1 + before * (n2 + n3) - work[0] * d1 - before * (bn2 + bn3 + bn4);
  work[2] =
    line[2]! * n0 + line[1]! * n1 + line[0]! * n2 + before * n3 - work[1] * d1 - work[0] * d2 - before * (bn3 + bn4);
  work[3] =
    line[3]! * n0 +
    line[2]! * n1 +
    line[1]! * n2 +
    line[0]! * n3 -
    work[2] * d1 -
    work[1] * d2 -
    work[0] * d3 -
    before * bn4;
  for (let i = 4; i < length; i += 1) {
    work[i] =
      line[i]! * n0 +
      line[i - 1]! * n1 +
      line[i - 2]! * n2 +
      line[i - 3]! * n3 -
      (work[i - 1]! * d1 + work[i - 2]! * d2 + work[i - 3]! * d3 + work[i - 4]! * d4);
  }
  for (let i = 0; i < length; i += 1) out[i] = work[i]!;
  const e = length - 1;
  work[e] = after * (m1 + m2 + m3 + m4) - after * (bm1 + bm2 + bm3 + bm4);
  work[e - 1] = line[e]! * m1 + after * (m2 + m3 + m4) - work[e] * d1 - after * (bm2 + bm3 + bm4);
  work[e - 2] =
    line[e - 1]! * m1 + line[e]! * m2 + after * (m3 + m4) - work[e - 1]! * d1 - work[e] * d2 - after * (bm3 + bm4);
  work[e - 3] =
    line[e - 2]! * m1 +
    line[e - 1]! * m2 +
    line[e]! * m3 +
    after * m4 -
    work[e - 2]! * d1 -
    work[e - 1]! * d2 -
    work[e] * d3 -
    after * bm4;
  for (let i = e - 3; i > 0; i -= 1) {
    work[i - 1] =
      line[i]! * m1 +
      line[i + 1]! * m2 +
      line[i + 2]! * m3 +
      line[i + 3]! * m4 -
      (work[i]! * d1 + work[i + 1]! * d2 + work[i + 2]! * d3 + work[i + 3]! * d4);
  }
  for (let i = 0; i < length; i += 1) line[i] = out[i]! + work[i]!;
}
