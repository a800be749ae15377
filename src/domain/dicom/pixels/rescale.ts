import type { StoredSamples } from './samples.js';

/**
 * Writes slope · stored + intercept of one frame into a volume, from voxel `base` on.
 *
 * @returns false when a value does not fit an Int16Array (what was written is then of no use)
 */
export function rescaleInto(
  samples: StoredSamples,
  slope: number,
  intercept: number,
  out: Int16Array | Float32Array,
  base: number,
): boolean {
  if (out instanceof Float32Array) {
    for (let at = 0; at < samples.length; at++) out[base + at] = samples[at]! * slope + intercept;
    return true;
  }
  // One loop per array type: shared by several types it would run many times slower.
  if (samples instanceof Uint16Array) return unsigned16(samples, slope, intercept, out, base);
  if (samples instanceof Int16Array) return signed16(samples, slope, intercept, out, base);
  let fits = true;
  for (let at = 0; at < samples.length; at++) {
    const value = samples[at]! * slope + intercept;
    fits &&= value <= 32767 && value >= -32768;
    out[base + at] = value;
  }
  return fits;
}

/** Whole slope and intercept: the rescale of nearly every CT is a shift, which stays within whole-number arithmetic. */
function unsigned16(samples: Uint16Array, slope: number, intercept: number, out: Int16Array, base: number): boolean {
  const count = samples.length;
  let low = 0;
  let high = 0;
  if (slope === 1) {
    const shift = intercept | 0;
    if (shift !== intercept) return false;
    for (let at = 0; at < count; at++) {
      const value = (samples[at]! + shift) | 0;
      if (value < low) low = value;
      if (value > high) high = value;
      out[base + at] = value;
    }
  } else {
    for (let at = 0; at < count; at++) {
      const value = samples[at]! * slope + intercept;
      if (value < low) low = value;
      if (value > high) high = value;
      out[base + at] = value;
    }
  }
  return low >= -32768 && high <= 32767;
}

function signed16(samples: Int16Array, slope: number, intercept: number, out: Int16Array, base: number): boolean {
  const count = samples.length;
  let low = 0;
  let high = 0;
  if (slope === 1) {
    const shift = intercept | 0;
    if (shift !== intercept) return false;
    for (let at = 0; at < count; at++) {
      const value = (samples[at]! + shift) | 0;
      if (value < low) low = value;
      if (value > high) high = value;
      out[base + at] = value;
    }
  } else {
    for (let at = 0; at < count; at++) {
      const value = samples[at]! * slope + intercept;
      if (value < low) low = value;
      if (value > high) high = value;
      out[base + at] = value;
    }
  }
  return low >= -32768 && high <= 32767;
}
