import { lpsToVoxel } from '../../geometry/affine.js';
import { FRAME_SILENT_FRACTION } from '../../geometry/tolerances.js';
import type { Geometry } from '../../geometry/volume.js';
import {
  extentOf,
  liesOver,
  planesOf,
  withoutRepeats,
  type ContourPlane,
  type PlacedContour,
} from './contour-planes.js';
import type { Contour } from './structure-set.js';

/** What became of the contours of one region. */
export interface ContourReport {
  /** Contours used. */
  readonly used: number;
  /** Points, open lines and contours of fewer than three points: they enclose nothing. */
  readonly open: number;
  /** Contours above the last or below the first slice. */
  readonly outside: number;
  /** Contours that do not lie in a slice plane. */
  readonly tilted: number;
  /** Contours further than a tenth of the spacing from their slice. */
  readonly offSlice: number;
  /** Contours of planes between the slices, over others that lie nearer to the same slice. */
  readonly between: number;
  /** Contours that repeat another one of their plane point by point. */
  readonly repeated: number;
  /** Contours that reach beyond the edge of the image. */
  readonly clipped: number;
  /** Slices that received contours, sorted. */
  readonly slices: readonly number[];
}

/**
 * Toggles the pixels of one slice whose centre lies inside a polygon (even-odd).
 *
 * Vertices are in pixels, pixel centres at whole numbers. Scanline y = j crosses an edge when the edge's lower end is at
 * or below and its upper end above (half-open), so that a vertex on a scanline counts once; pixels from the first
 * crossing (included) to the second (excluded) are inside.
 */
export function togglePolygon(
  polygon: readonly (readonly [number, number])[],
  mask: Uint8Array,
  base: number,
  columns: number,
  rows: number,
): void {
  let [lowest, highest] = [Infinity, -Infinity];
  for (const [, y] of polygon) {
    lowest = Math.min(lowest, y);
    highest = Math.max(highest, y);
  }
  for (let j = Math.max(0, Math.ceil(lowest)); j < rows && j <= highest; j++) {
    const crossings: number[] = [];
    for (let at = 0; at < polygon.length; at++) {
      const [x1, y1] = polygon[at]!;
      const [x2, y2] = polygon[(at + 1) % polygon.length]!;
      if (y1 <= j === y2 <= j) continue;
      crossings.push(x1 + ((j - y1) / (y2 - y1)) * (x2 - x1));
    }
    crossings.sort((a, b) => a - b);
    for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
      const from = Math.max(0, Math.ceil(crossings[pair]!));
      const to = Math.min(columns, Math.ceil(crossings[pair + 1]!));
      for (let i = from; i < to; i++) mask[base + j * columns + i] = mask[base + j * columns + i]! ^ 1;
    }
  }
}

/**
 * Rasterises the contours of one region onto an image grid: pixel centres, even-odd, half-open scanlines, all contours of
 * a plane combined by exclusive or (holes, keyholes and islands within holes come out right). No interpolation between
 * slices. The slice of a contour is the nearest along the normal, within half a step; where contours were drawn on thinner
 * slices than the image's, several planes have one slice, and the nearest plane is taken.
 *
 * By this rule the contours of the IBSI CT phantom give its published mask voxel by voxel (reference test).
 *
 * @param mask zeros, one byte per voxel of `grid`; set voxels become 1
 */
export function rasteriseContours(grid: Geometry, contours: readonly Contour[], mask: Uint8Array): ContourReport {
  const toIndex = lpsToVoxel(grid);
  const [columns, rows, slices] = grid.size;
  const placed: PlacedContour[] = [];
  const report = { used: 0, open: 0, outside: 0, tilted: 0, offSlice: 0, between: 0, repeated: 0, clipped: 0 };
  for (const { type, points } of contours) {
    if (!/^CLOSED_?PLANAR/.test(type) || points.length < 3) {
      report.open++;
      continue;
    }
    const indices = points.map(toIndex);
    let [sum, low, high] = [0, Infinity, -Infinity];
    for (const [, , k] of indices) {
      sum += k;
      low = Math.min(low, k);
      high = Math.max(high, k);
    }
    if (high - low > 0.5) report.tilted++;
    else placed.push({ height: sum / indices.length, polygon: indices.map(([i, j]) => [i, j] as const) });
  }
  const bySlice = new Map<number, ContourPlane[]>();
  for (const plane of planesOf(placed)) {
    const k = Math.round(plane.height);
    if (k < 0 || k >= slices) report.outside += plane.contours.length;
    else bySlice.set(k, [...(bySlice.get(k) ?? []), plane]);
  }
  for (const [k, planes] of bySlice) {
    const drawn: PlacedContour[] = [];
    for (const plane of planes.sort((a, b) => Math.abs(a.height - k) - Math.abs(b.height - k))) {
      if (liesOver(plane.contours, drawn)) {
        report.between += plane.contours.length;
        continue;
      }
      const once = withoutRepeats(plane.contours);
      report.repeated += plane.contours.length - once.length;
      for (const contour of once) {
        const { low, high } = extentOf(contour);
        if (Math.min(...low) < -0.5 || high[0] > columns - 0.5 || high[1] > rows - 0.5) report.clipped++;
        if (Math.abs(contour.height - k) > FRAME_SILENT_FRACTION) report.offSlice++;
        togglePolygon(contour.polygon, mask, k * columns * rows, columns, rows);
        report.used++;
      }
      drawn.push(...once);
    }
  }
  return { ...report, slices: [...bySlice.keys()].sort((a, b) => a - b) };
}
