import type { Vec3, Volume } from '../geometry/volume.js';
import type { Resampled } from './resample.js';
import { boxSize, valuesInBox, type Box } from './roi.js';
import type { RadiomicsSettings } from './settings.js';

/** Image with mean 0 and standard deviation `scale` over all its voxels; values beyond `outliers` deviations clipped. */
export function normalised(
  image: Volume,
  { scale, outliers }: NonNullable<RadiomicsSettings['normalise']>,
): Volume<Float64Array> {
  const { data } = image;
  let sum = 0;
  let squares = 0;
  for (const value of data) {
    sum += value;
    squares += value * value;
  }
  const n = data.length;
  // ITK's NormalizeImageFilter divides by the sample deviation, found from these two sums, and multiplies by its inverse.
  const mean = sum / n;
  const inverse = 1 / Math.sqrt((squares - (sum * sum) / n) / (n - 1));
  const change = (value: number): number => {
    const normal = (value - mean) * inverse;
    const kept = outliers === undefined ? normal : Math.min(outliers, Math.max(-outliers, normal));
    return kept * scale;
  };
  return { geometry: image.geometry, data: Float64Array.from(data, change) };
}

/** The part of a mask whose grey values lie in a range (pyradiomics `resegmentRange`), as 0 and 1. */
export function resegmented(
  image: Volume,
  mask: Uint8Array,
  { range, mode }: NonNullable<RadiomicsSettings['resegment']>,
): Uint8Array {
  const inside: number[] = [];
  mask.forEach((value, at) => {
    if (value === 1) inside.push(image.data[at]!);
  });
  let scale = (value: number): number => value;
  if (mode === 'relative') {
    const most = inside.reduce((largest, value) => Math.max(largest, value), -Infinity);
    scale = (value) => value * most;
  } else if (mode === 'sigma') {
    const mean = inside.reduce((sum, value) => sum + value, 0) / inside.length;
    const deviation = Math.sqrt(inside.reduce((sum, value) => sum + (value - mean) ** 2, 0) / inside.length);
    scale = (value) => mean + deviation * value;
  }
  const lower = scale(range[0]);
  const upper = range.length === 2 ? scale(range[1]) : Infinity;
  return mask.map((value, at) => (value === 1 && image.data[at]! >= lower && image.data[at]! <= upper ? 1 : 0));
}

/** An image and its mask cut to a box and `pad` voxels around it, as far as the image goes. */
export function cutAround(image: Volume, mask: Uint8Array, box: Box, pad: number): Resampled {
  const { geometry } = image;
  const lower = box.lower.map((index) => Math.max(0, index - pad)) as unknown as Vec3;
  const upper = box.upper.map((index, axis) => Math.min(geometry.size[axis]! - 1, index + pad)) as unknown as Vec3;
  const around = { lower, upper };
  const origin = [0, 1, 2].map(
    (world) =>
      geometry.origin[world]! +
      [0, 1, 2].reduce(
        (sum, axis) => sum + lower[axis]! * geometry.spacing[axis]! * geometry.directions[axis]![world]!,
        0,
      ),
  ) as unknown as Vec3;
  const grid = { ...geometry, size: boxSize(around), origin };
  return {
    image: { geometry: grid, data: valuesInBox(image, around) },
    mask: Uint8Array.from(valuesInBox({ geometry, data: mask }, around)),
  };
}
