import { CohortflowError } from '../../errors.js';
import { lpsToVoxel, voxelToLps } from '../../geometry/affine.js';
import { FRAME_SILENT_FRACTION, FRAME_WARN_FRACTION, IN_PLANE_OFFSET_PIXELS } from '../../geometry/tolerances.js';
import { dot, subtract } from '../../geometry/vector.js';
import type { Geometry, Vec3 } from '../../geometry/volume.js';

/** A plane of mask pixels in the patient. */
export interface MaskPlane {
  readonly position: Vec3;
  readonly rowDirection: Vec3;
  readonly columnDirection: Vec3;
  readonly rowSpacing: number;
  readonly columnSpacing: number;
  readonly columns: number;
  readonly rows: number;
}

/** What became of one plane. */
export interface Placement {
  /** Slice index on the image grid. */
  readonly k: number;
  /** Set pixels of the plane, and how many of them lie beside the image grid. */
  readonly inside: number;
  readonly outside: number;
  /** Distance from the slice as a fraction of the slice spacing. */
  readonly offSlice: number;
  /** True when pixels did not coincide and the nearest one was taken. */
  readonly resampled: boolean;
}

/** Slice index and distance of a plane; `offSlice` is in units of the slice spacing. */
export function sliceOf(grid: Geometry, plane: MaskPlane): { k: number; offSlice: number; tilt: number } {
  const toIndex = lpsToVoxel(grid);
  const at = (column: number, row: number): number => {
    const point: Vec3 = [0, 1, 2].map(
      (axis) =>
        plane.position[axis as 0] +
        column * plane.columnSpacing * plane.rowDirection[axis as 0] +
        row * plane.rowSpacing * plane.columnDirection[axis as 0],
    ) as unknown as Vec3;
    return toIndex(point)[2];
  };
  const corners = [at(0, 0), at(plane.columns - 1, 0), at(0, plane.rows - 1), at(plane.columns - 1, plane.rows - 1)];
  const mean = corners.reduce((sum, value) => sum + value, 0) / 4;
  const k = Math.round(mean);
  return { k, offSlice: Math.abs(mean - k), tilt: Math.max(...corners) - Math.min(...corners) };
}

const near = (value: number, whole: number, tolerance: number): boolean => Math.abs(value - whole) <= tolerance;

/**
 * Puts the set pixels (1; all others 0) of a plane into the mask of an image grid (values become 1; pixels already set stay).
 *
 * The slice is the nearest along the normal. Within the plane, pixels that coincide with image pixels up to
 * {@link IN_PLANE_OFFSET_PIXELS} are copied one to one, whatever the plane's size, offset, flips or exchange of rows and
 * columns; else every image pixel takes the nearest plane pixel (`resampled`).
 *
 * Throws `FrameOffGrid` when a plane with set pixels lies on no slice, is not parallel to the slices, or has set pixels
 * beside the image. Returns undefined for a plane without set pixels.
 */
export function placePlane(
  grid: Geometry,
  plane: MaskPlane,
  pixels: Uint8Array,
  mask: Uint8Array,
  what: string,
): Placement | undefined {
  let set = 0;
  for (let at = 0; at < pixels.length; at++) set += pixels[at]!;
  if (set === 0) return undefined;
  const { k, offSlice, tilt } = sliceOf(grid, plane);
  const spacing = grid.spacing[2];
  const [columns, rows, slices] = grid.size;
  const offGrid = (why: string, details: Record<string, unknown>): never => {
    throw new CohortflowError('FrameOffGrid', `${what} ${why}`, details);
  };
  if (tilt > FRAME_WARN_FRACTION) offGrid('is not parallel to the slices of the image.', { tiltSlices: tilt });
  if (k < 0 || k >= slices) {
    const beyond = k < 0 ? -k : k - slices + 1;
    offGrid(
      `lies ${Number((beyond * spacing).toFixed(1))} mm beyond the ${k < 0 ? 'first' : 'last'} slice of the image.`,
      { slice: k, slices },
    );
  }
  if (offSlice > FRAME_WARN_FRACTION) {
    offGrid(
      `lies ${Number((offSlice * spacing).toFixed(3))} mm from the nearest slice (slice spacing ${Number(spacing.toFixed(3))} mm).`,
      { offMm: offSlice * spacing, spacingMm: spacing },
    );
  }

  // In-plane step of one plane column and one plane row, in image pixels.
  const toIndex = lpsToVoxel(grid);
  const start = toIndex(plane.position);
  const step = (direction: Vec3, length: number): readonly [number, number] => [
    (length * dot(direction, grid.directions[0])) / grid.spacing[0],
    (length * dot(direction, grid.directions[1])) / grid.spacing[1],
  ];
  const alongColumns = step(plane.rowDirection, plane.columnSpacing);
  const alongRows = step(plane.columnDirection, plane.rowSpacing);
  const whole = (value: number, length: number): boolean =>
    near(value, Math.round(value), IN_PLANE_OFFSET_PIXELS / Math.max(1, length));
  const coincide =
    alongColumns.every((value) => whole(value, plane.columns)) &&
    alongRows.every((value) => whole(value, plane.rows)) &&
    Math.abs(Math.round(alongColumns[0])) + Math.abs(Math.round(alongColumns[1])) === 1 &&
    Math.abs(Math.round(alongRows[0])) + Math.abs(Math.round(alongRows[1])) === 1 &&
    near(start[0], Math.round(start[0]), IN_PLANE_OFFSET_PIXELS) &&
    near(start[1], Math.round(start[1]), IN_PLANE_OFFSET_PIXELS);
  const base = k * columns * rows;
  let inside = 0;
  let outside = 0;
  if (coincide) {
    const [ci, cj] = alongColumns.map(Math.round) as [number, number];
    const [ri, rj] = alongRows.map(Math.round) as [number, number];
    const [i0, j0] = [Math.round(start[0]), Math.round(start[1])];
    for (let row = 0, at = 0; row < plane.rows; row++) {
      for (let column = 0; column < plane.columns; column++, at++) {
        if (pixels[at] === 0) continue;
        const i = i0 + column * ci + row * ri;
        const j = j0 + column * cj + row * rj;
        if (i < 0 || j < 0 || i >= columns || j >= rows) outside++;
        else {
          inside++;
          mask[base + j * columns + i] = 1;
        }
      }
    }
  } else {
    const half = (value: number, limit: number): boolean => value < -0.5 || value >= limit - 0.5;
    for (let row = 0, at = 0; row < plane.rows; row++) {
      for (let column = 0; column < plane.columns; column++, at++) {
        if (pixels[at] === 0) continue;
        const i = start[0] + column * alongColumns[0] + row * alongRows[0];
        const j = start[1] + column * alongColumns[1] + row * alongRows[1];
        if (half(i, columns) || half(j, rows)) outside++;
        else inside++;
      }
    }
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++) {
        const from = subtract(voxelToLps(grid, [i, j, k]), plane.position);
        const column = Math.round(dot(from, plane.rowDirection) / plane.columnSpacing);
        const row = Math.round(dot(from, plane.columnDirection) / plane.rowSpacing);
        if (column < 0 || row < 0 || column >= plane.columns || row >= plane.rows) continue;
        if (pixels[row * plane.columns + column] !== 0) mask[base + j * columns + i] = 1;
      }
    }
  }
  if (outside > 0) {
    offGrid(`has ${outside} of ${set} pixels beside the image (${columns} × ${rows}).`, { outside, pixels: set });
  }
  return { k, inside, outside, offSlice, resampled: !coincide };
}

/** True when a placement is worth a warning: further than {@link FRAME_SILENT_FRACTION} of the spacing from its slice. */
export function isOffSlice(placement: Placement): boolean {
  return placement.offSlice > FRAME_SILENT_FRACTION;
}
