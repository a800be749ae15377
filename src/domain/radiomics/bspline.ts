/**
 * Cubic B-spline interpolation of a line of samples with mirrored ends, as ITK's BSplineInterpolateImageFunction does it
 * (Unser 1999, "Splines: a perfect fit for signal and image processing").
 */

const POLE = Math.sqrt(3) - 2;
const TOLERANCE = 1e-10;

function firstCausal(line: Float64Array, length: number): number {
  const horizon = Math.ceil(Math.log(TOLERANCE) / Math.log(Math.abs(POLE)));
  let zn = POLE;
  if (horizon < length) {
    let sum = line[0]!;
    for (let n = 1; n < horizon; n += 1, zn *= POLE) sum += zn * line[n]!;
    return sum;
  }
  const inverse = 1 / POLE;
  let z2n = POLE ** (length - 1);
  let sum = line[0]! + z2n * line[length - 1]!;
  z2n *= z2n * inverse;
  for (let n = 1; n <= length - 2; n += 1) {
    sum += (zn + z2n) * line[n]!;
    zn *= POLE;
    z2n *= inverse;
  }
  return sum / (1 - zn * zn);
}

/** Turns samples into spline coefficients, in place. A single sample is its own coefficient. */
export function splineCoefficients(line: Float64Array, length: number): void {
  if (length < 2) return;
  const gain = (1 - POLE) * (1 - 1 / POLE);
  for (let n = 0; n < length; n += 1) line[n]! *= gain;
  line[0] = firstCausal(line, length);
  for (let n = 1; n < length; n += 1) line[n]! += POLE * line[n - 1]!;
  line[length - 1] = (POLE / (POLE * POLE - 1)) * (POLE * line[length - 2]! + line[length - 1]!);
  for (let n = length - 2; n >= 0; n -= 1) line[n] = POLE * (line[n + 1]! - line[n]!);
}

/** Which samples make a value between samples, and how much of each. */
export interface Taps {
  readonly at: readonly number[];
  readonly weights: readonly number[];
}

function mirrored(index: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * length - 2;
  const folded = ((index % period) + period) % period;
  return folded < length ? folded : period - folded;
}

/** Coefficients and weights of the cubic spline at `x` (in samples). */
export function splineTaps(x: number, length: number): Taps {
  const start = Math.floor(x) - 1;
  const w = x - (start + 1);
  const third = (1 / 6) * w * w * w;
  const first = 1 / 6 + (w * (w - 1)) / 2 - third;
  const last = w + first - 2 * third;
  return {
    at: [0, 1, 2, 3].map((n) => mirrored(start + n, length)),
    weights: [first, 1 - first - last - third, last, third],
  };
}

/** Samples and weights of linear interpolation at `x`; beyond the ends the last sample counts. */
export function linearTaps(x: number, length: number): Taps {
  const below = Math.floor(x);
  const inside = (index: number): number => Math.min(length - 1, Math.max(0, index));
  return { at: [inside(below), inside(below + 1)], weights: [1 - (x - below), x - below] };
}

/** The nearest sample; halves go up. */
export function nearestTaps(x: number, length: number): Taps {
  return { at: [Math.min(length - 1, Math.max(0, Math.floor(x + 0.5)))], weights: [1] };
}
