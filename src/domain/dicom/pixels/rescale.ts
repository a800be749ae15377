import type { StoredSamples } from './samples.js';

/**
 * Writes slope · stored + intercept of one frame into a volume, from voxel `base` on.
 *
 * @returns false as soon as a value does not fit an Int16Array (the frame is then not complete)
 */
export function rescaleInto(
  samples: StoredSamples,
  slope: number,
  intercept: number,
  out: Int16Array | Float32Array,
  base: number,
): boolean {
  const count = samples.length;
  if (out instanceof Float32Array) {
    for (let at = 0; at < count; at++) out[base + at] = samples[at]! * slope + intercept;
    return true;
  }
  for (let at = 0; at < count; at++) {
    const value = samples[at]! * slope + intercept;
    if (value > 32767 || value < -32768) return false;
    out[base + at] = value;
  }
  return true;
}
