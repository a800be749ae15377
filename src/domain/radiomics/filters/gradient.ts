import type { Volume } from '../../geometry/volume.js';

/**
 * Magnitude of the gradient by central differences, the image repeated beyond its border; per mm, or per voxel without
 * spacing (ITK GradientMagnitudeImageFilter, whose output is single precision).
 */
export function gradientMagnitude(image: Volume, useSpacing: boolean): Volume<Float32Array> {
  const { size, spacing } = image.geometry;
  const [nx, ny, nz] = size;
  const { data } = image;
  const out = new Float32Array(data.length);
  const scale = spacing.map((mm) => (useSpacing ? 0.5 / mm : 0.5)) as [number, number, number];
  const row = nx;
  const plane = nx * ny;
  for (let k = 0, at = 0; k < nz; k += 1) {
    for (let j = 0; j < ny; j += 1) {
      for (let i = 0; i < nx; i += 1, at += 1) {
        const di = (data[i + 1 < nx ? at + 1 : at]! - data[i > 0 ? at - 1 : at]!) * scale[0];
        const dj = (data[j + 1 < ny ? at + row : at]! - data[j > 0 ? at - row : at]!) * scale[1];
        const dk = (data[k + 1 < nz ? at + plane : at]! - data[k > 0 ? at - plane : at]!) * scale[2];
        out[at] = Math.sqrt(di * di + dj * dj + dk * dk);
      }
    }
  }
  return { geometry: image.geometry, data: out };
}
