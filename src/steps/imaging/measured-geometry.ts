import { affineJson, affineRas } from '../../domain/geometry/affine.js';
import type { Volume } from '../../domain/geometry/volume.js';

/** What is measured of a volume and its mask, as geometry.json tells it. World frame RAS, mm. */
export interface MeasuredGeometry {
  readonly shape_xyz: readonly number[];
  readonly spacing_mm: readonly number[];
  readonly affine_ras: readonly (readonly number[])[];
  readonly hu_min: number;
  readonly hu_max: number;
  readonly hu_sum: number;
  readonly mask_voxels: number;
  readonly hu_sum_in_mask: number;
  readonly mask_centroid_ras_mm: readonly number[];
}

/** Measures a volume and its mask (one grid). The centroid of an empty mask is not a number and given as an empty list. */
export function measureGeometry(image: Volume, mask: Volume): MeasuredGeometry {
  const { size, spacing } = image.geometry;
  const [nx, ny, nz] = size;
  let [minimum, maximum, sum, inside, count] = [Infinity, -Infinity, 0, 0, 0];
  const index = [0, 0, 0];
  for (let k = 0, at = 0; k < nz; k += 1) {
    for (let j = 0; j < ny; j += 1) {
      for (let i = 0; i < nx; i += 1, at += 1) {
        const value = image.data[at]!;
        sum += value;
        if (value < minimum) minimum = value;
        if (value > maximum) maximum = value;
        if (mask.data[at] === 0) continue;
        inside += value;
        count += 1;
        index[0]! += i;
        index[1]! += j;
        index[2]! += k;
      }
    }
  }
  const affine = affineRas(image.geometry);
  const mean = index.map((total) => total / count);
  const centroid = affine.slice(0, 3).map((row) => row[0] * mean[0]! + row[1] * mean[1]! + row[2] * mean[2]! + row[3]);
  return {
    shape_xyz: size,
    spacing_mm: spacing,
    affine_ras: affineJson(image.geometry),
    hu_min: minimum,
    hu_max: maximum,
    hu_sum: sum,
    mask_voxels: count,
    hu_sum_in_mask: inside,
    mask_centroid_ras_mm: count === 0 ? [] : centroid,
  };
}
