import { lpsToVoxel, voxelToLps } from './affine.js';
import { SAME_GRID_VOXELS } from './tolerances.js';
import { norm, subtract } from './vector.js';
import type { Geometry, Vec3 } from './volume.js';

/** How two grids differ. `differs` is empty when they are the same within {@link SAME_GRID_VOXELS}. */
export interface GeometryComparison {
  readonly differs: readonly ('size' | 'spacing' | 'origin' | 'direction')[];
  /** One clause per difference, with both values. */
  readonly explanation: string;
  /** Largest distance of the second grid's corners from the first's, in voxels of the first; Infinity for another size. */
  readonly worstCornerVoxels: number;
}

const show = (values: readonly number[]): string => values.map((value) => String(Number(value.toFixed(4)))).join(' × ');

function corners([columns, rows, slices]: Vec3): Vec3[] {
  const at = (bit: number, length: number): number => (bit === 0 ? 0 : length - 1);
  return Array.from({ length: 8 }, (_, c) => [at(c & 1, columns), at(c & 2, rows), at(c & 4, slices)]);
}

/** Largest angle between corresponding axes, degrees. */
function worstAngle(a: Geometry, b: Geometry): number {
  // From the chord, not the cosine: the arc cosine loses half of the digits near zero.
  const chords = a.directions.map((direction, axis) => norm(subtract(direction, b.directions[axis as 0])));
  return (2 * Math.asin(Math.min(1, Math.max(...chords) / 2)) * 180) / Math.PI;
}

/**
 * Compares two grids by what matters: whether the same index is the same place. Rounding of headers does not count; a
 * shift, a scale or a turn that moves any corner by more than {@link SAME_GRID_VOXELS} voxels does.
 */
export function compareGeometry(first: Geometry, second: Geometry): GeometryComparison {
  if (first.size.some((length, axis) => length !== second.size[axis])) {
    return {
      differs: ['size'],
      explanation: `size ${show(first.size)} against ${show(second.size)} voxels`,
      worstCornerVoxels: Infinity,
    };
  }
  const toIndex = lpsToVoxel(first);
  const worst = Math.max(
    ...corners(first.size).map((corner) => norm(subtract(toIndex(voxelToLps(second, corner)), corner))),
  );
  if (worst <= SAME_GRID_VOXELS) return { differs: [], explanation: '', worstCornerVoxels: worst };

  const differs: ('spacing' | 'origin' | 'direction')[] = [];
  const clauses: string[] = [];
  const longest = Math.max(...first.size);
  const spacingOff = first.spacing.map((value, axis) => Math.abs(value - (second.spacing[axis] ?? 0)) / value);
  if (Math.max(...spacingOff) * longest > SAME_GRID_VOXELS) {
    differs.push('spacing');
    clauses.push(`spacing ${show(first.spacing)} against ${show(second.spacing)} mm`);
  }
  const shift = norm(subtract(first.origin, second.origin));
  if (shift > SAME_GRID_VOXELS * Math.min(...first.spacing)) {
    differs.push('origin');
    clauses.push(`origin ${shift.toFixed(3)} mm apart`);
  }
  const angle = worstAngle(first, second);
  if ((angle * Math.PI * longest) / 180 > SAME_GRID_VOXELS) {
    differs.push('direction');
    clauses.push(`axes up to ${angle.toFixed(3)}° apart`);
  }
  if (differs.length === 0) {
    // Each part is below its own bound, together they are not.
    differs.push('origin');
    clauses.push(`corners up to ${worst.toFixed(3)} voxels apart`);
  }
  return { differs, explanation: clauses.join(', '), worstCornerVoxels: worst };
}

/** How to read one grid's array in the order of another: axis `from[a]` of the source becomes axis `a`, reversed where told. */
export interface AxisMapping {
  readonly from: readonly [number, number, number];
  readonly reversed: readonly [boolean, boolean, boolean];
}

/**
 * The flips and exchanges of axes that make `source` the same grid as `target`, or undefined when no such exist: the same
 * voxels stored in another order (RAS against LAS), which can be undone without touching a value.
 */
export function axisMapping(target: Geometry, source: Geometry): AxisMapping | undefined {
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ] as const;
  for (const from of orders) {
    const aligned = from.map((axis, a) =>
      target.directions[a as 0].reduce((sum, part, c) => sum + part * source.directions[axis][c as 0], 0),
    );
    if (aligned.some((cosine) => Math.abs(cosine) < 0.9)) continue;
    const reversed: [boolean, boolean, boolean] = [aligned[0]! < 0, aligned[1]! < 0, aligned[2]! < 0];
    const start: [number, number, number] = [0, 0, 0];
    from.forEach((axis, a) => {
      if (reversed[a]) start[axis] = source.size[axis] - 1;
    });
    const sign = (a: 0 | 1 | 2): Vec3 => {
      const direction = source.directions[from[a]];
      return reversed[a] ? [-direction[0], -direction[1], -direction[2]] : direction;
    };
    const reordered: Geometry = {
      size: [source.size[from[0]], source.size[from[1]], source.size[from[2]]],
      spacing: [source.spacing[from[0]], source.spacing[from[1]], source.spacing[from[2]]],
      origin: voxelToLps(source, start),
      directions: [sign(0), sign(1), sign(2)],
    };
    if (compareGeometry(target, reordered).differs.length === 0) return { from, reversed };
  }
  return undefined;
}
