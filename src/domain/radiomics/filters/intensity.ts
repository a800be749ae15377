import type { Volume, VoxelArray } from '../../geometry/volume.js';

/** Largest absolute value of an image. */
function largest(data: VoxelArray): number {
  let most = 0;
  for (const value of data) most = Math.max(most, Math.abs(value));
  return most;
}

function mapped(image: Volume, change: (value: number) => number): Volume<Float64Array> {
  return { geometry: image.geometry, data: Float64Array.from(image.data, change) };
}

/** Squares, scaled back to the image's range (pyradiomics getSquareImage). */
export function square(image: Volume): Volume<Float64Array> {
  const scale = 1 / Math.sqrt(largest(image.data));
  return mapped(image, (value) => (scale * value) ** 2);
}

/** Square roots of absolute values with their sign, scaled back (getSquareRootImage). */
export function squareRoot(image: Volume): Volume<Float64Array> {
  const scale = largest(image.data);
  return mapped(image, (value) => Math.sign(value) * Math.sqrt(Math.abs(value) * scale));
}

/** Logarithms of absolute values plus one with their sign, scaled back (getLogarithmImage). */
export function logarithm(image: Volume): Volume<Float64Array> {
  const logs = mapped(image, (value) => Math.sign(value) * Math.log(Math.abs(value) + 1));
  const scale = largest(image.data) / largest(logs.data);
  return mapped(logs, (value) => value * scale);
}

/** Exponentials, scaled so that the largest absolute value stays (getExponentialImage). */
export function exponential(image: Volume): Volume<Float64Array> {
  const most = largest(image.data);
  const scale = Math.log(most) / most;
  return mapped(image, (value) => Math.exp(scale * value));
}
