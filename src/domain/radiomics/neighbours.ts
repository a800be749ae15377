import type { Vec3 } from '../geometry/volume.js';

/** Which neighbours count: distances in voxels (Chebyshev), and an axis that is left out when textures are 2D. */
export interface Neighbourhood {
  readonly distances: readonly number[];
  /** Voxel axis (0 = i, 1 = j, 2 = k) that neighbours must share; undefined for 3D. */
  readonly flatAxis?: number;
}

/**
 * One of each pair of opposite offsets (di, dj, dk) at the given distances: 13 for distance 1 in 3D. Offsets longer than
 * the box along an axis meet no voxel and are left out, as pyradiomics does.
 */
export function halfOffsets(size: Vec3, { distances, flatAxis }: Neighbourhood): readonly Vec3[] {
  const offsets: Vec3[] = [];
  const furthest = Math.max(...distances);
  for (let dk = -furthest; dk <= furthest; dk += 1) {
    for (let dj = -furthest; dj <= furthest; dj += 1) {
      for (let di = -furthest; di <= furthest; di += 1) {
        const offset: Vec3 = [di, dj, dk];
        const ahead = dk > 0 || (dk === 0 && (dj > 0 || (dj === 0 && di > 0)));
        if (!ahead || !distances.includes(Math.max(Math.abs(di), Math.abs(dj), Math.abs(dk)))) continue;
        if (flatAxis !== undefined && offset[flatAxis] !== 0) continue;
        if (offset.some((step, axis) => Math.abs(step) >= size[axis]!)) continue;
        offsets.push(offset);
      }
    }
  }
  return offsets;
}

/** Both of each pair of opposite offsets. */
export function allOffsets(size: Vec3, neighbourhood: Neighbourhood): readonly Vec3[] {
  const half = halfOffsets(size, neighbourhood);
  return [...half, ...half.map(([i, j, k]): Vec3 => [-i, -j, -k])];
}

/** The levels of a region with a border of zeros wide enough that no offset leaves the array. */
export interface PaddedLevels {
  readonly data: Int32Array;
  /** Positions of the region's voxels in `data`, ascending. */
  readonly inside: Int32Array;
  /** Position change of one step along i, j, k. */
  readonly strides: Vec3;
}

/** Pads levels so that neighbour look-ups need no bounds checks. */
export function padLevels(levels: Int32Array, size: Vec3, width: number): PaddedLevels {
  const [nx, ny, nz] = size;
  const strides: Vec3 = [1, nx + 2 * width, (nx + 2 * width) * (ny + 2 * width)];
  const data = new Int32Array(strides[2] * (nz + 2 * width));
  const inside: number[] = [];
  for (let k = 0, from = 0; k < nz; k += 1) {
    for (let j = 0; j < ny; j += 1) {
      let to = width + strides[1] * (width + j) + strides[2] * (width + k);
      for (let i = 0; i < nx; i += 1, from += 1, to += 1) {
        const level = levels[from]!;
        if (level === 0) continue;
        data[to] = level;
        inside.push(to);
      }
    }
  }
  return { data, inside: Int32Array.from(inside), strides };
}

/** Position change of an offset. */
export function stepOf(offset: Vec3, strides: Vec3): number {
  return offset[0] * strides[0] + offset[1] * strides[1] + offset[2] * strides[2];
}
