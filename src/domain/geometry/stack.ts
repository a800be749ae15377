import { CohortflowError } from '../errors.js';
import {
  DRIFT_FRACTION,
  GAP_SILENT_FRACTION,
  GAP_SILENT_MM,
  GAP_WARN_FRACTION,
  SAME_POSITION_MM,
  TILT_PIXELS,
} from './tolerances.js';
import { addScaled, cross, dot, norm, scale, subtract, unit } from './vector.js';
import type { Geometry, Vec3 } from './volume.js';

/** Slices of one orientation, size and pixel spacing, in any order. */
export interface SliceSet {
  /** LPS centre of the first pixel of each slice, mm. */
  readonly positions: readonly Vec3[];
  /** LPS directions of increasing column index and of increasing row index; about unit length and at right angles. */
  readonly rowDirection: Vec3;
  readonly columnDirection: Vec3;
  readonly columns: number;
  readonly rows: number;
  /** mm between columns, mm between rows. */
  readonly columnSpacing: number;
  readonly rowSpacing: number;
}

/** A regular stack. */
export interface Stack {
  readonly geometry: Geometry;
  /** `order[k]` = index in `positions` of slice k, sorted along the normal. */
  readonly order: readonly number[];
  readonly gaps: GapReport;
}

/** Distances between neighbouring slices along the normal, mm. */
export interface GapReport {
  readonly spacing: number;
  readonly min: number;
  readonly max: number;
  /** Largest deviation of a gap from the spacing, mm, and the slice index k before it. */
  readonly worst: number;
  readonly worstAfterSlice: number;
  /** Largest distance of a slice from where the regular grid puts it, mm. */
  readonly drift: number;
  /** True when the deviation is worth a warning. */
  readonly uneven: boolean;
}

const mm = (value: number): string => `${Number(value.toFixed(3))} mm`;

/** Unit normal of the slices: row × column; slice index k grows along it. */
export function sliceNormal(set: Pick<SliceSet, 'rowDirection' | 'columnDirection'>): Vec3 {
  return unit(cross(set.rowDirection, set.columnDirection));
}

/** Smallest whole multiples of one step that the gaps are, or undefined when they are not. */
function multiples(gaps: readonly number[]): number[] | undefined {
  const smallest = Math.min(...gaps);
  const near = gaps.filter((gap) => Math.round(gap / smallest) === 1);
  const step = near.reduce((sum, gap) => sum + gap, 0) / near.length;
  const counts = gaps.map((gap) => Math.round(gap / step));
  const fits = gaps.every(
    (gap, at) => Math.abs(gap - counts[at]! * step) <= Math.max(GAP_SILENT_MM, GAP_WARN_FRACTION * step),
  );
  return fits ? counts : undefined;
}

function refuseGaps(gaps: readonly number[], spacing: number, worst: number, worstAt: number): never {
  const counts = multiples(gaps);
  const holes = counts?.filter((count) => count > 1).length ?? 0;
  // A few holes in an otherwise regular stack are missing slices; a stack that changes its spacing is something else.
  if (counts !== undefined && holes > 0 && (holes === 1 || holes <= gaps.length / 3)) {
    const missing = counts.reduce((sum, count) => sum + count - 1, 0);
    const first = counts.findIndex((count) => count > 1);
    const step = gaps[counts.indexOf(1)] ?? spacing;
    throw new CohortflowError(
      'MissingSlice',
      `${missing} slice(s) missing: the gap after slice ${first + 1} of ${gaps.length + 1} is ${mm(gaps[first]!)}, ` +
        `${counts[first]} times the spacing of ${mm(step)}. Fetch the complete series.`,
      { missing, afterSlice: first + 1, gapMm: gaps[first], spacingMm: step, slices: gaps.length + 1 },
    );
  }
  throw new CohortflowError(
    'NonUniformSpacing',
    `the gaps between ${gaps.length + 1} slices run from ${mm(Math.min(...gaps))} to ${mm(Math.max(...gaps))}; the worst, after ` +
      `slice ${worstAt + 1}, is ${mm(worst)} from the mean of ${mm(spacing)}. Resample the series onto even slices first.`,
    { minMm: Math.min(...gaps), maxMm: Math.max(...gaps), spacingMm: spacing, worstMm: worst, afterSlice: worstAt + 1 },
  );
}

/**
 * Stacks slices by their position along the normal and nothing else: not by file name, InstanceNumber, SliceThickness or
 * SpacingBetweenSlices, all of which are wrong in real data. The step is (last - first) / (n - 1), so that
 * affine · (corner voxel of slice k) is the position of slice k.
 *
 * Throws `NotAVolume` (fewer than two slices), `DuplicatePosition`, `MissingSlice`, `NonUniformSpacing`, `GantryTilt` and
 * `MixedGeometry` (a slice shifted sideways), each with the measured deviation.
 */
export function stackSlices(set: SliceSet): Stack {
  const { positions } = set;
  if (positions.length < 2) {
    throw new CohortflowError(
      'NotAVolume',
      `the series has ${positions.length} usable slice(s); a volume needs at least 2.`,
      {
        slices: positions.length,
      },
    );
  }
  const normal = sliceNormal(set);
  const along = positions.map((position) => dot(position, normal));
  const order = positions.map((_, index) => index).sort((a, b) => along[a]! - along[b]! || a - b);
  const at = order.map((index) => along[index]!);
  const gaps = at.slice(1).map((value, k) => value - at[k]!);
  const repeated = gaps.findIndex((gap) => gap < SAME_POSITION_MM);
  if (repeated >= 0) {
    const count = gaps.filter((gap) => gap < SAME_POSITION_MM).length;
    throw new CohortflowError(
      'DuplicatePosition',
      `${count} slice position(s) occur more than once with different pixels, the first as slices ${repeated + 1} and ` +
        `${repeated + 2}; nothing in the headers tells them apart. Keep one acquisition in the folder.`,
      { repeated: count, slices: positions.length },
    );
  }

  const count = positions.length - 1;
  const first = positions[order[0]!]!;
  const last = positions[order[count]!]!;
  const step = scale(subtract(last, first), 1 / count);
  const spacing = dot(step, normal);
  const deviations = gaps.map((gap) => Math.abs(gap - spacing));
  const worst = Math.max(...deviations);
  const worstAt = deviations.indexOf(worst);
  const drift = Math.max(...at.map((value, k) => Math.abs(value - at[0]! - k * spacing)));
  const silent = Math.max(GAP_SILENT_MM, GAP_SILENT_FRACTION * spacing);
  if (worst > Math.max(silent, GAP_WARN_FRACTION * spacing) || drift > Math.max(silent, DRIFT_FRACTION * spacing)) {
    refuseGaps(gaps, spacing, worst, worstAt);
  }

  // Sideways: how far the whole stack leans, and how far a single slice lies off the line.
  const pixel = Math.min(set.columnSpacing, set.rowSpacing);
  const lean = subtract(step, scale(normal, spacing));
  if (norm(lean) * count > TILT_PIXELS * pixel) {
    const degrees = (Math.atan2(norm(lean), spacing) * 180) / Math.PI;
    throw new CohortflowError(
      'GantryTilt',
      `the slices lean by ${Number(degrees.toFixed(2))}° against their normal (${mm(norm(lean) * count)} over the stack): the scan ` +
        'was taken with a tilted gantry and its voxels are not rectangular. Correct the tilt before converting.',
      { degrees, shiftMm: norm(lean) * count },
    );
  }
  const offLine = order.map((index, k) => {
    const residual = subtract(positions[index]!, addScaled(first, step, k));
    return norm(subtract(residual, scale(normal, dot(residual, normal))));
  });
  const worstOff = Math.max(...offLine);
  if (worstOff > TILT_PIXELS * pixel) {
    const slice = offLine.indexOf(worstOff) + 1;
    throw new CohortflowError(
      'MixedGeometry',
      `slice ${slice} of ${positions.length} is shifted sideways by ${mm(worstOff)} against the others; the series is not one grid.`,
      { slice, shiftMm: worstOff },
    );
  }

  return {
    geometry: {
      size: [set.columns, set.rows, positions.length],
      spacing: [set.columnSpacing, set.rowSpacing, norm(step)],
      origin: first,
      directions: [unit(set.rowDirection), unit(set.columnDirection), unit(step)],
    },
    order,
    gaps: {
      spacing,
      min: Math.min(...gaps),
      max: Math.max(...gaps),
      worst,
      worstAfterSlice: worstAt,
      drift,
      uneven: worst > silent || drift > silent,
    },
  };
}
