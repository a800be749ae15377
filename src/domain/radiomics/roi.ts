import { CohortflowError } from '../errors.js';
import type { Vec3, Volume } from '../geometry/volume.js';

/**
 * A region of interest cut out of its image: everything the feature families read. Arrays run i fastest, then j, then k
 * (voxel frame), over the region's bounding box.
 */
export interface Roi {
  /** Voxels of the box along i, j, k. */
  readonly size: Vec3;
  /** mm along i, j, k. */
  readonly spacing: Vec3;
  /** Grey values; meaningful inside the mask only. */
  readonly values: Float64Array;
  /** 1 inside the region. */
  readonly mask: Uint8Array;
  /** Number of voxels in the region. */
  readonly count: number;
}

/** First and last index of a region along each axis (voxel frame), both inclusive. */
export interface Box {
  readonly lower: Vec3;
  readonly upper: Vec3;
}

/** The smallest box around the voxels whose mask is not zero; undefined when there are none. */
export function boundingBox(mask: ArrayLike<number>, size: Vec3): Box | undefined {
  const [nx, ny, nz] = size;
  const lower = [nx, ny, nz];
  const upper = [-1, -1, -1];
  for (let k = 0, at = 0; k < nz; k += 1) {
    for (let j = 0; j < ny; j += 1) {
      for (let i = 0; i < nx; i += 1, at += 1) {
        if (mask[at] === 0) continue;
        if (i < lower[0]!) lower[0] = i;
        if (i > upper[0]!) upper[0] = i;
        if (j < lower[1]!) lower[1] = j;
        if (j > upper[1]!) upper[1] = j;
        if (k < lower[2]!) lower[2] = k;
        if (k > upper[2]!) upper[2] = k;
      }
    }
  }
  if (upper[0]! < 0) return undefined;
  return { lower: lower as unknown as Vec3, upper: upper as unknown as Vec3 };
}

/** Voxels of a box along i, j, k. */
export function boxSize({ lower, upper }: Box): Vec3 {
  return [upper[0] - lower[0] + 1, upper[1] - lower[1] + 1, upper[2] - lower[2] + 1];
}

/** Visits the voxels of a box: their position in the full grid and in the box. */
function eachInBox(full: Vec3, box: Box, visit: (from: number, to: number) => void): void {
  const [nx, ny, nz] = boxSize(box);
  for (let k = 0, to = 0; k < nz; k += 1) {
    for (let j = 0; j < ny; j += 1) {
      let from = box.lower[0] + full[0] * (box.lower[1] + j + full[1] * (box.lower[2] + k));
      for (let i = 0; i < nx; i += 1, from += 1, to += 1) visit(from, to);
    }
  }
}

/** The grey values of an image inside a box. */
export function valuesInBox(image: Volume, box: Box): Float64Array {
  const size = boxSize(box);
  const values = new Float64Array(size[0] * size[1] * size[2]);
  eachInBox(image.geometry.size, box, (from, to) => (values[to] = image.data[from]!));
  return values;
}

/** Cuts a box out of an image and its mask (same grid); `mask` is 1 where the region is. */
export function cropToBox(image: Volume, mask: Uint8Array, box: Box): Roi {
  const size = boxSize(box);
  const inside = new Uint8Array(size[0] * size[1] * size[2]);
  let count = 0;
  eachInBox(image.geometry.size, box, (from, to) => {
    if (mask[from] === 0) return;
    inside[to] = 1;
    count += 1;
  });
  return { size, spacing: image.geometry.spacing, values: valuesInBox(image, box), mask: inside, count };
}

/** The grey values of the region, in voxel order. */
export function valuesInside(roi: Roi): Float64Array {
  const inside = new Float64Array(roi.count);
  for (let at = 0, to = 0; at < roi.mask.length; at += 1) if (roi.mask[at] === 1) inside[to++] = roi.values[at]!;
  return inside;
}

/**
 * Refuses a region that no texture can be measured in, as pyradiomics does.
 *
 * @param minimumDimensions axes along which the region must be wider than one voxel (`minimumROIDimensions`, default 2)
 * @param minimumSize the region must have more voxels than this (`minimumROISize`)
 * @throws CohortflowError `RoiTooSmall`
 */
export function checkRoi(roi: Roi, minimumDimensions: number, minimumSize: number | undefined): void {
  const dimensions = roi.size.filter((n) => n > 1).length;
  const found = `the region has ${roi.count} voxels in a box of ${roi.size.join(' × ')}`;
  if (dimensions === 0 || dimensions < minimumDimensions) {
    throw new CohortflowError(
      'RoiTooSmall',
      `${found}: at least ${Math.max(1, minimumDimensions)} axes must be wider than one voxel`,
    );
  }
  if (minimumSize !== undefined && roi.count <= minimumSize) {
    throw new CohortflowError('RoiTooSmall', `${found}: more than ${minimumSize} voxels are asked for`);
  }
}
