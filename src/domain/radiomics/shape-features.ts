import { symmetricEigenvalues } from './eigenvalues.js';
import { meshOf, padMask } from './mesh.js';
import type { Roi } from './roi.js';

/** Shape features in pyradiomics' order; Compactness1 and 2 (deprecated there) are of the seed set only. */
export const SHAPE_NAMES = [
  'Elongation',
  'Flatness',
  'LeastAxisLength',
  'MajorAxisLength',
  'Maximum2DDiameterColumn',
  'Maximum2DDiameterRow',
  'Maximum2DDiameterSlice',
  'Maximum3DDiameter',
  'MeshVolume',
  'MinorAxisLength',
  'Sphericity',
  'SurfaceArea',
  'SurfaceVolumeRatio',
  'VoxelVolume',
  'Compactness1',
  'Compactness2',
  'SphericalDisproportion',
] as const;

/**
 * Eigenvalues (ascending, mm²) of the covariance of the voxel centres of a region, divided by the number of voxels.
 * `axes` are the voxel axes that take part.
 */
export function principalVariances(roi: Roi, axes: readonly number[]): Float64Array {
  const [nx, ny, nz] = roi.size;
  const centre = [0, 0, 0];
  const visit = (use: (point: readonly number[]) => void): void => {
    for (let k = 0, at = 0; k < nz; k += 1)
      for (let j = 0; j < ny; j += 1)
        for (let i = 0; i < nx; i += 1, at += 1)
          if (roi.mask[at] === 1) use([i * roi.spacing[0], j * roi.spacing[1], k * roi.spacing[2]]);
  };
  visit((point) => point.forEach((value, axis) => (centre[axis]! += value)));
  for (const axis of [0, 1, 2]) centre[axis]! /= roi.count;
  const n = axes.length;
  const covariance = new Float64Array(n * n);
  visit((point) => {
    for (let a = 0; a < n; a += 1)
      for (let b = 0; b < n; b += 1)
        covariance[a * n + b]! += (point[axes[a]!]! - centre[axes[a]!]!) * (point[axes[b]!]! - centre[axes[b]!]!);
  });
  const values = symmetricEigenvalues(
    covariance.map((value) => value / roi.count),
    n,
  );
  // Rounding leaves a flat axis at ±1e-16 instead of 0.
  return values.map((value) => (Math.abs(value) < 1e-10 ? 0 : value));
}

/**
 * Shape of a region in 3D (IBSI section 3.1; pyradiomics 3.0.1). Lengths in mm, areas in mm², volumes in mm³; axes are
 * those of the voxel grid. Independent of grey values.
 */
export function shapeFeatures(roi: Roi): Record<string, number> {
  const { area, volume, diameters } = meshOf(padMask(roi.mask, roi.size), roi.spacing);
  const [least, minor, major] = principalVariances(roi, [0, 1, 2]) as unknown as [number, number, number];
  const ball = (36 * Math.PI * volume ** 2) ** (1 / 3);
  return {
    Elongation: Math.sqrt(minor / major),
    Flatness: Math.sqrt(least / major),
    LeastAxisLength: 4 * Math.sqrt(least),
    MajorAxisLength: 4 * Math.sqrt(major),
    Maximum2DDiameterColumn: diameters.column,
    Maximum2DDiameterRow: diameters.row,
    Maximum2DDiameterSlice: diameters.slice,
    Maximum3DDiameter: diameters.space,
    MeshVolume: volume,
    MinorAxisLength: 4 * Math.sqrt(minor),
    Sphericity: ball / area,
    SurfaceArea: area,
    SurfaceVolumeRatio: area / volume,
    VoxelVolume: roi.count * roi.spacing[0] * roi.spacing[1] * roi.spacing[2],
    Compactness1: volume / (area ** 1.5 * Math.sqrt(Math.PI)),
    Compactness2: (36 * Math.PI * volume ** 2) / area ** 3,
    SphericalDisproportion: area / ball,
  };
}
