import { CohortflowError } from '../errors.js';
import type { Volume } from '../geometry/volume.js';

/** Voxels of the mask per index of an axis. */
export function maskProfile(mask: Volume, axis: 0 | 1 | 2): Float64Array {
  const [nx, ny, nz] = mask.geometry.size;
  const profile = new Float64Array(mask.geometry.size[axis]);
  for (let k = 0, at = 0; k < nz; k += 1)
    for (let j = 0; j < ny; j += 1)
      for (let i = 0; i < nx; i += 1, at += 1) if (mask.data[at] !== 0) profile[[i, j, k][axis]!]! += 1;
  return profile;
}

/** The index with the most voxels of the mask; ties go to the one nearest the middle of the mask. */
export function largestIndex(profile: Float64Array): number {
  const occupied = [...profile.keys()].filter((index) => profile[index]! > 0);
  if (occupied.length === 0) throw new CohortflowError('EmptyMask', 'the mask has no voxel to draw');
  const middle = (occupied[0]! + occupied.at(-1)!) / 2;
  return occupied.reduce((best, index) => {
    const more = profile[index]! - profile[best]!;
    if (more !== 0) return more > 0 ? index : best;
    return Math.abs(index - middle) < Math.abs(best - middle) ? index : best;
  });
}

/** `count` indexes spread over the mask's extent, inside it; fewer when the mask has fewer slices. */
export function spreadIndexes(profile: Float64Array, count: number): number[] {
  const occupied = [...profile.keys()].filter((index) => profile[index]! > 0);
  if (occupied.length <= count) return occupied;
  return Array.from({ length: count }, (_, n) => occupied[Math.round(((n + 0.5) / count) * (occupied.length - 1))]!);
}

/** Grey values shown as black and white. */
export interface Window {
  readonly low: number;
  readonly high: number;
}

const SAMPLES = 200_000;

function quantile(sorted: Float64Array, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
}

/**
 * A window from the data: the 1st to 99th percentile of what lies in and around the tumour, widened to show the tumour's
 * own range. Works for CT in HU and for images in any other unit.
 */
export function windowOf(image: Volume, mask: Volume): Window {
  const [nx, ny, nz] = image.geometry.size;
  const lower = [nx, ny, nz];
  const upper = [-1, -1, -1];
  for (let k = 0, at = 0; k < nz; k += 1)
    for (let j = 0; j < ny; j += 1)
      for (let i = 0; i < nx; i += 1, at += 1) {
        if (mask.data[at] === 0) continue;
        [i, j, k].forEach((index, axis) => {
          lower[axis] = Math.min(lower[axis]!, index);
          upper[axis] = Math.max(upper[axis]!, index);
        });
      }
  const margin = image.geometry.spacing.map((mm) => Math.ceil(30 / mm));
  const from = lower.map((index, axis) => Math.max(0, index - margin[axis]!));
  const to = upper.map((index, axis) => Math.min([nx, ny, nz][axis]! - 1, index + margin[axis]!));
  const around: number[] = [];
  const inside: number[] = [];
  const total = to.reduce((product, index, axis) => product * Math.max(1, index - from[axis]! + 1), 1);
  const step = Math.max(1, Math.floor(total / SAMPLES));
  let count = 0;
  for (let k = from[2]!; k <= to[2]!; k += 1)
    for (let j = from[1]!; j <= to[1]!; j += 1)
      for (let i = from[0]!; i <= to[0]!; i += 1) {
        const at = i + nx * (j + ny * k);
        if (mask.data[at] !== 0) inside.push(image.data[at]!);
        if (count++ % step === 0) around.push(image.data[at]!);
      }
  const near = Float64Array.from(around).sort();
  const tumour = Float64Array.from(inside).sort();
  const low = Math.min(quantile(near, 0.01), quantile(tumour, 0.02));
  const high = Math.max(quantile(near, 0.99), quantile(tumour, 0.98));
  return high > low ? { low, high } : { low: low - 1, high: high + 1 };
}
