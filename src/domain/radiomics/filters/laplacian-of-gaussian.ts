import type { Vec3, Volume } from '../../geometry/volume.js';
import { SHORTEST_LINE, filterLine, secondDerivative, smoothing, type LineFilter } from './recursive-gaussian.js';

/** Filters every line of a volume along `axis`, in single precision between passes as ITK does. */
function alongAxis(data: Float32Array, size: Vec3, axis: 0 | 1 | 2, filter: LineFilter): void {
  const strides: Vec3 = [1, size[0], size[0] * size[1]];
  const length = size[axis];
  const stride = strides[axis];
  const [a, b] = [0, 1, 2].filter((other) => other !== axis) as [0 | 1 | 2, 0 | 1 | 2];
  const line = new Float64Array(length);
  const work = new Float64Array(length);
  const out = new Float64Array(length);
  for (let q = 0; q < size[b]; q += 1) {
    for (let p = 0; p < size[a]; p += 1) {
      const start = p * strides[a] + q * strides[b];
      for (let i = 0; i < length; i += 1) line[i] = data[start + i * stride]!;
      filterLine(line, length, filter, work, out);
      for (let i = 0; i < length; i += 1) data[start + i * stride] = line[i]!;
    }
  }
}

/** True when an image is large enough for a standard deviation (pyradiomics' own condition). */
export function canFilter({ size, spacing }: Volume['geometry'], sigma: number): boolean {
  return Math.min(...size) >= SHORTEST_LINE && size.every((n, axis) => n >= Math.ceil(sigma / spacing[axis]!) + 1);
}

/**
 * Laplacian of Gaussian by recursive filters, normalised across scale (ITK LaplacianRecursiveGaussianImageFilter). `sigma`
 * in mm.
 */
export function laplacianOfGaussian(image: Volume, sigma: number): Volume<Float32Array> {
  const { size, spacing } = image.geometry;
  const sum = new Float32Array(image.data.length);
  const buffer = new Float32Array(image.data.length);
  for (const axis of [0, 1, 2] as const) {
    buffer.set(image.data);
    alongAxis(buffer, size, axis, secondDerivative(sigma / spacing[axis]));
    for (const other of [0, 1, 2] as const) {
      if (other !== axis) alongAxis(buffer, size, other, smoothing(sigma / spacing[other]));
    }
    for (let at = 0; at < sum.length; at += 1) sum[at]! += buffer[at]!;
  }
  return { geometry: image.geometry, data: sum };
}
