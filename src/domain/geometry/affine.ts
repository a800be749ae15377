import { cross, dot, norm, scale, unit } from './vector.js';
import type { Geometry, Vec3 } from './volume.js';

/** Rows of a 3×4 matrix: world = M · (i, j, k, 1). */
export type Affine = readonly [
  readonly [number, number, number, number],
  readonly [number, number, number, number],
  readonly [number, number, number, number],
];

/** LPS position (mm) of a voxel index; fractions are allowed. */
export function voxelToLps({ origin, spacing, directions }: Geometry, index: Vec3): Vec3 {
  const [a, b, c] = [index[0] * spacing[0], index[1] * spacing[1], index[2] * spacing[2]];
  const [u, v, w] = directions;
  return [
    origin[0] + a * u[0] + b * v[0] + c * w[0],
    origin[1] + a * u[1] + b * v[1] + c * w[1],
    origin[2] + a * u[2] + b * v[2] + c * w[2],
  ];
}

/**
 * A function from LPS (mm) to fractional voxel index. The axes may be oblique and need not be at right angles, only
 * independent.
 */
export function lpsToVoxel({ origin, spacing, directions }: Geometry): (point: Vec3) => Vec3 {
  const [u, v, w] = directions;
  const determinant = dot(u, cross(v, w));
  const rows: readonly [Vec3, Vec3, Vec3] = [
    scale(cross(v, w), 1 / (determinant * spacing[0])),
    scale(cross(w, u), 1 / (determinant * spacing[1])),
    scale(cross(u, v), 1 / (determinant * spacing[2])),
  ];
  return (point) => {
    const d: Vec3 = [point[0] - origin[0], point[1] - origin[1], point[2] - origin[2]];
    return [dot(rows[0], d), dot(rows[1], d), dot(rows[2], d)];
  };
}

const negate = (value: number): number => (value === 0 ? 0 : -value);

/** The affine voxel → RAS (mm), as NIfTI and nibabel use it: LPS with x and y negated. No negative zeros. */
export function affineRas({ origin, spacing, directions }: Geometry): Affine {
  const row = (axis: 0 | 1 | 2): [number, number, number, number] => {
    const values: [number, number, number, number] = [
      spacing[0] * directions[0][axis],
      spacing[1] * directions[1][axis],
      spacing[2] * directions[2][axis],
      origin[axis],
    ];
    return axis === 2 ? values : [negate(values[0]), negate(values[1]), negate(values[2]), negate(values[3])];
  };
  return [row(0), row(1), row(2)];
}

/** The geometry of a voxel → RAS affine; undefined when an axis has no length, is not finite, or lies in the others' plane. */
export function geometryOfRas(affine: Affine, size: Vec3): Geometry | undefined {
  const column = (index: 0 | 1 | 2 | 3): Vec3 => [negate(affine[0][index]), negate(affine[1][index]), affine[2][index]];
  const axes = [column(0), column(1), column(2)] as const;
  const spacing: Vec3 = [norm(axes[0]), norm(axes[1]), norm(axes[2])];
  const origin = column(3);
  if (![...spacing, ...origin].every(Number.isFinite) || spacing.some((value) => value <= 0)) return undefined;
  const directions = [unit(axes[0]), unit(axes[1]), unit(axes[2])] as const;
  if (Math.abs(dot(directions[0], cross(directions[1], directions[2]))) < 1e-3) return undefined;
  return { size, spacing, origin, directions };
}

/** The affine voxel → RAS as nested arrays, for JSON. */
export function affineJson(geometry: Geometry): number[][] {
  return affineRas(geometry).map((row) => [...row]);
}
