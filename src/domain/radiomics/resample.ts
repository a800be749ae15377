import { CohortflowError } from '../errors.js';
import type { Geometry, Vec3, Volume, VoxelArray } from '../geometry/volume.js';
import { linearTaps, nearestTaps, splineCoefficients, splineTaps, type Taps } from './bspline.js';
import type { Box } from './roi.js';
import type { RadiomicsSettings } from './settings.js';

/** An image and its mask on a new grid. */
export interface Resampled {
  readonly image: Volume;
  readonly mask: Uint8Array;
}

type Resample = NonNullable<RadiomicsSettings['resample']>;

/** The new grid along one axis: samples of the old one, in its continuous index. */
interface Axis {
  readonly positions: readonly number[];
  readonly spacing: number;
}

/**
 * Positions along an axis by way of millimetres in the world, as ITK takes them. A sample half-way between two voxels
 * belongs to the one or the other by rounding noise alone, and whole planes of a mask lie so: the noise must be the same.
 */
function positionsOf(axis: number, geometry: Geometry, first: number, mm: number, count: number): readonly number[] {
  const direction = geometry.directions[axis]!;
  const old = geometry.spacing[axis]!;
  const start = direction.map((part, world) => geometry.origin[world]! + part * old * first);
  const at = (n: number): number =>
    direction.reduce((sum, part, world) => {
      const point = start[world]! + part * mm * n;
      return sum + (part / old) * (point - geometry.origin[world]!);
    }, 0);
  if (axis !== 0) return Array.from({ length: count }, (_, n) => at(n));
  // Along a row ITK divides the way from its first sample to the one after its last.
  const from = at(0);
  const to = at(count);
  return Array.from({ length: count }, (_, n) => from + (n / count) * (to - from));
}

/** More voxels than this around a region are no resampling but a typing error in the spacing: 2 GB of reals. */
const MOST_VOXELS = 2 ** 28;

/** Refuses a grid that no memory holds, before any of it is made. */
function checkSize(geometry: Geometry, box: Box, { spacing }: Resample): void {
  const voxels = spacing.reduce((product, mm, axis) => {
    const width = box.upper[axis]! - box.lower[axis]! + 1;
    return product * (mm === 0 ? width : (width * geometry.spacing[axis]!) / mm);
  }, 1);
  if (voxels <= MOST_VOXELS) return;
  throw new CohortflowError(
    'InvalidRadiomicsSetting',
    `setting.resampledPixelSpacing: at ${spacing.join(' × ')} mm the region alone would have ${voxels.toPrecision(3)} voxels`,
    { key: 'setting.resampledPixelSpacing' },
  );
}

/** pyradiomics' grid: aligned with the corner of the image, over the region's box and `pad` voxels around it. */
function newAxis(axis: number, geometry: Geometry, box: Box, wanted: number, pad: number): Axis {
  const { size, spacing } = geometry;
  const old = spacing[axis]!;
  const width = box.upper[axis]! - box.lower[axis]! + 1;
  // A region of one slice keeps its spacing across, as 0 does.
  const mm = wanted === 0 || width === 1 ? old : wanted;
  const ratio = old / mm;
  const lower = Math.max(0, Math.floor((box.lower[axis]! - 0.5) * ratio - pad));
  const upper = Math.min(Math.ceil(size[axis]! * ratio) - 1, Math.ceil((box.lower[axis]! + width - 0.5) * ratio + pad));
  const first = (0.5 * (mm - old)) / old + lower / ratio;
  return { positions: positionsOf(axis, geometry, first, mm, upper - lower + 1), spacing: mm };
}

function close(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-8 + 1e-5 * Math.abs(b);
}

/** True when the wanted spacing is the image's own: then nothing is interpolated. */
export function keepsSpacing({ spacing }: Geometry, box: Box, { spacing: wanted }: Resample): boolean {
  return spacing.every((mm, axis) => {
    const single = box.upper[axis] === box.lower[axis];
    return wanted[axis] === 0 || single || close(mm, wanted[axis]!);
  });
}

/** Applies one-dimensional taps along an axis: the three axes are independent. */
function alongAxis(
  data: Float64Array,
  size: Vec3,
  axis: 0 | 1 | 2,
  taps: readonly Taps[],
): { data: Float64Array; size: Vec3 } {
  const strides: Vec3 = [1, size[0], size[0] * size[1]];
  const next = size.map((n, at) => (at === axis ? taps.length : n)) as unknown as Vec3;
  const out = new Float64Array(next[0] * next[1] * next[2]);
  let to = 0;
  for (let k = 0; k < next[2]; k += 1)
    for (let j = 0; j < next[1]; j += 1)
      for (let i = 0; i < next[0]; i += 1) {
        const index = [i, j, k];
        const { at, weights } = taps[index[axis]!]!;
        index[axis] = 0;
        const base = index[0]! + index[1]! * strides[1] + index[2]! * strides[2];
        if (at.length === 2) {
          // The way ITK writes it: whole-number images are cut off after, so that 13 must not become 12.999….
          const a = data[base + at[0]! * strides[axis]]!;
          out[to++] = a + (data[base + at[1]! * strides[axis]]! - a) * weights[1]!;
          continue;
        }
        let sum = 0;
        for (let n = 0; n < at.length; n += 1) sum += weights[n]! * data[base + at[n]! * strides[axis]]!;
        out[to++] = sum;
      }
  return { data: out, size: next };
}

function coefficientsOf(image: Volume): Float64Array {
  const { size } = image.geometry;
  const data = Float64Array.from(image.data);
  const strides: Vec3 = [1, size[0], size[0] * size[1]];
  for (const axis of [0, 1, 2] as const) {
    const line = new Float64Array(size[axis]);
    const [a, b] = [0, 1, 2].filter((other) => other !== axis) as [0 | 1 | 2, 0 | 1 | 2];
    for (let q = 0; q < size[b]; q += 1)
      for (let p = 0; p < size[a]; p += 1) {
        const start = p * strides[a] + q * strides[b];
        for (let n = 0; n < size[axis]; n += 1) line[n] = data[start + n * strides[axis]]!;
        splineCoefficients(line, size[axis]);
        for (let n = 0; n < size[axis]; n += 1) data[start + n * strides[axis]] = line[n]!;
      }
  }
  return data;
}

/**
 * Values of the spline, summed voxel by voxel in ITK's order. The sum by axes would be quicker; but where old and new voxels
 * coincide a whole value comes out as itself or just below, and is cut off to the one or the other.
 */
function splined(coefficients: Float64Array, size: Vec3, axes: readonly Axis[]): Float64Array {
  const [is, js, ks] = axes.map(({ positions }, axis) =>
    positions.map((x) => (x >= -0.5 && x < size[axis]! - 0.5 ? splineTaps(x, size[axis]!) : undefined)),
  ) as [(Taps | undefined)[], (Taps | undefined)[], (Taps | undefined)[]];
  const out = new Float64Array(is.length * js.length * ks.length);
  let to = 0;
  for (const k of ks)
    for (const j of js)
      for (const i of is) {
        let sum = 0;
        if (i !== undefined && j !== undefined && k !== undefined) {
          for (let c = 0; c < 4; c += 1)
            for (let b = 0; b < 4; b += 1) {
              const row = size[0] * (j.at[b]! + size[1] * k.at[c]!);
              for (let a = 0; a < 4; a += 1) {
                sum += i.weights[a]! * j.weights[b]! * k.weights[c]! * coefficients[row + i.at[a]!]!;
              }
            }
        }
        out[to++] = sum;
      }
  return out;
}

const TAPS = { sitkLinear: linearTaps, sitkNearestNeighbor: nearestTaps } as const;

/** A sample outside the image, further than half a voxel from its last centres, is 0. */
const NOTHING: Taps = { at: [0], weights: [0] };

function interpolated(
  data: Float64Array,
  size: Vec3,
  axes: readonly Axis[],
  taps: (x: number, n: number) => Taps,
): Float64Array {
  let current = { data, size };
  for (const axis of [0, 1, 2] as const) {
    const length = current.size[axis];
    current = alongAxis(
      current.data,
      current.size,
      axis,
      axes[axis]!.positions.map((x) => (x >= -0.5 && x < length - 0.5 ? taps(x, length) : NOTHING)),
    );
  }
  return current.data;
}

/** Lowest and highest value of the types of whole numbers. */
function rangeOf(kind: VoxelArray): readonly [number, number] | undefined {
  if (kind instanceof Uint8Array) return [0, 255];
  if (kind instanceof Uint16Array) return [0, 65535];
  if (kind instanceof Int16Array) return [-32768, 32767];
  return kind instanceof Int32Array ? [-(2 ** 31), 2 ** 31 - 1] : undefined;
}

/** Resampled values as numbers of the image's kind: a spline overshoots, and what does not fit is cut off as ITK does. */
function asKind(values: Float64Array, kind: VoxelArray): VoxelArray {
  if (kind instanceof Float32Array) return Float32Array.from(values);
  const range = rangeOf(kind);
  if (range === undefined) return values;
  const [lowest, highest] = range;
  return values.map((value) => Math.trunc(Math.min(highest, Math.max(lowest, value))));
}

/**
 * Resamples an image and its mask (nearest neighbour) to a new spacing over the region's box and `pad` voxels around it, as
 * pyradiomics does with SimpleITK. The image keeps its kind of number: whole values stay whole.
 *
 * @param box the region's box in the old grid
 * @throws CohortflowError `InvalidRadiomicsSetting` when the new grid cannot be held
 */
export function resample(image: Volume, mask: Uint8Array, box: Box, request: Resample, pad: number): Resampled {
  const { geometry } = image;
  checkSize(geometry, box, request);
  const axes = [0, 1, 2].map((axis) => newAxis(axis, geometry, box, request.spacing[axis]!, pad));
  const size = axes.map(({ positions }) => positions.length) as unknown as Vec3;
  const spacing = axes.map((axis) => axis.spacing) as unknown as Vec3;
  const shift = axes.map(({ positions }, axis) => positions[0]! * geometry.spacing[axis]!);
  const origin = [0, 1, 2].map(
    (world) =>
      geometry.origin[world]! +
      [0, 1, 2].reduce((sum, axis) => sum + shift[axis]! * geometry.directions[axis]![world]!, 0),
  ) as unknown as Vec3;
  const { interpolator } = request;
  const values =
    interpolator === 'sitkBSpline'
      ? splined(coefficientsOf(image), geometry.size, axes)
      : interpolated(Float64Array.from(image.data), geometry.size, axes, TAPS[interpolator]);
  const inside = interpolated(Float64Array.from(mask), geometry.size, axes, nearestTaps);
  return {
    image: { geometry: { size, spacing, origin, directions: geometry.directions }, data: asKind(values, image.data) },
    mask: Uint8Array.from(inside),
  };
}
