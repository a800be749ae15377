import { CohortflowError } from '../../domain/errors.js';
import type { Warning } from '../../domain/dicom/warning.js';
import { lpsToVoxel, voxelToLps } from '../../domain/geometry/affine.js';
import { axisMapping, compareGeometry, type AxisMapping } from '../../domain/geometry/compare.js';
import type { Geometry, Vec3, VoxelArray } from '../../domain/geometry/volume.js';

/** A volume by what its place needs. */
interface Placed {
  readonly geometry: Geometry;
  readonly data: VoxelArray;
}

/** A mask on the image's grid. */
export interface AlignedMask {
  readonly data: VoxelArray;
  readonly warnings: Warning[];
  /** Voxels of each label that lie beside the image. */
  readonly outside: ReadonlyMap<number, number>;
}

/** Reorders voxels so that axis `a` of the result is axis `from[a]` of the source. */
function reorder(data: VoxelArray, size: Vec3, { from, reversed }: AxisMapping): VoxelArray {
  const strides = [1, size[0], size[0] * size[1]];
  const lengths = from.map((axis) => size[axis]) as [number, number, number];
  const steps = from.map((axis, a) => (reversed[a] ? -strides[axis]! : strides[axis]!)) as [number, number, number];
  const start = from.reduce<number>((sum, axis, a) => sum + (reversed[a] ? (size[axis]! - 1) * strides[axis]! : 0), 0);
  const out = data.slice();
  let at = 0;
  for (let k = 0; k < lengths[2]; k++)
    for (let j = 0; j < lengths[1]; j++)
      for (let i = 0, from = start + j * steps[1] + k * steps[2]; i < lengths[0]; i++, from += steps[0])
        out[at++] = data[from]!;
  return out;
}

/** A function from voxel indices of one grid to fractional ones of another, by their columns: both are affine. */
function indexMap(from: Geometry, to: Geometry): { readonly start: Vec3; readonly steps: readonly [Vec3, Vec3, Vec3] } {
  const place = lpsToVoxel(to);
  const at = (index: Vec3): Vec3 => place(voxelToLps(from, index));
  const start = at([0, 0, 0]);
  const step = (index: Vec3): Vec3 => {
    const next = at(index);
    return [next[0] - start[0], next[1] - start[1], next[2] - start[2]];
  };
  return { start, steps: [step([1, 0, 0]), step([0, 1, 0]), step([0, 0, 1])] };
}

/**
 * Calls `visit` with the voxel of `to` nearest to each voxel of `from` (halves go up), or -1 where it lies beside the grid; in
 * the order of `from`.
 */
function eachNearest(from: Geometry, to: Geometry, visit: (at: number, nearest: number) => void): void {
  const { start, steps } = indexMap(from, to);
  const [u, v, w] = steps;
  const [columns, rows, slices] = to.size;
  let at = 0;
  for (let k = 0; k < from.size[2]; k++)
    for (let j = 0; j < from.size[1]; j++)
      for (let i = 0; i < from.size[0]; i++) {
        const x = Math.floor(start[0] + i * u[0] + j * v[0] + k * w[0] + 0.5);
        const y = Math.floor(start[1] + i * u[1] + j * v[1] + k * w[1] + 0.5);
        const z = Math.floor(start[2] + i * u[2] + j * v[2] + k * w[2] + 0.5);
        const inside = x >= 0 && y >= 0 && z >= 0 && x < columns && y < rows && z < slices;
        visit(at++, inside ? x + columns * (y + rows * z) : -1);
      }
}

/** The mask drawn anew on the image's grid: every image voxel takes the mask voxel nearest to its centre. */
function drawnAnew(image: Placed, mask: Placed): Pick<AlignedMask, 'data' | 'outside'> {
  const [columns, rows, slices] = image.geometry.size;
  const source = mask.data;
  const data = new (source.constructor as new (length: number) => VoxelArray)(columns * rows * slices);
  eachNearest(image.geometry, mask.geometry, (at, nearest) => {
    if (nearest >= 0) data[at] = source[nearest]!;
  });
  const outside = new Map<number, number>();
  eachNearest(mask.geometry, image.geometry, (at, nearest) => {
    const label = Math.round(source[at]!);
    if (nearest < 0 && label !== 0) outside.set(label, (outside.get(label) ?? 0) + 1);
  });
  return { data, outside };
}

/**
 * The mask on the image's grid: as it is, with axes exchanged and reversed, or, where that is asked for (`correctMask` of
 * pyradiomics' settings), drawn anew by the nearest voxel.
 *
 * @param names of image and mask, to be shown
 * @throws CohortflowError `GeometryMismatch`
 */
export function alignMask(
  image: Placed,
  mask: Placed,
  names: readonly [string, string],
  correctMask: boolean,
): AlignedMask {
  const comparison = compareGeometry(image.geometry, mask.geometry);
  if (comparison.differs.length === 0) return { data: mask.data, warnings: [], outside: new Map() };
  const mapping = axisMapping(image.geometry, mask.geometry);
  if (mapping !== undefined) {
    const message = 'The mask stores the same voxels in another axis order; it was brought into that of the image.';
    const data = reorder(mask.data, mask.geometry.size, mapping);
    return { data, warnings: [{ code: 'MaskReoriented', message }], outside: new Map() };
  }
  if (correctMask) {
    const message = `The mask lies on another grid than the image (${comparison.explanation}); every image voxel took the nearest mask voxel (correctMask).`;
    return { ...drawnAnew(image, mask), warnings: [{ code: 'MaskResampled', message }] };
  }
  throw new CohortflowError(
    'GeometryMismatch',
    `${names[0]} and ${names[1]} do not lie on the same grid: ${comparison.explanation}. Resample the mask onto the image, or have it done by \`correctMask: true\` in the radiomics settings.`,
    { differs: [...comparison.differs], explanation: comparison.explanation },
  );
}

/**
 * Refuses labels that lie partly beside the image, as pyradiomics does: what is there cannot be measured.
 *
 * @throws CohortflowError `GeometryMismatch`
 */
export function refuseOutside(
  outside: AlignedMask['outside'],
  labels: readonly number[],
  names: readonly [string, string],
): void {
  const beside = labels.reduce((sum, label) => sum + (outside.get(label) ?? 0), 0);
  if (beside === 0) return;
  throw new CohortflowError(
    'GeometryMismatch',
    `${beside} voxel(s) of the region in ${names[1]} lie beside ${names[0]}: the image does not hold the whole region.`,
    { beside },
  );
}
