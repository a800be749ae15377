type Pixel = readonly [i: number, j: number];

/** A contour in the frame of the image: vertices in pixels, height in slices. */
export interface PlacedContour {
  readonly height: number;
  readonly polygon: readonly Pixel[];
}

/** Contours of one region that were drawn in one plane. */
export interface ContourPlane {
  readonly height: number;
  readonly contours: readonly PlacedContour[];
}

/** Contours whose heights differ by less (in slices) were drawn in one plane. */
const SAME_PLANE = 0.05;

/** Contours by plane. The height of a plane is that of its lowest contour: holes must not part from what they are cut into. */
export function planesOf(contours: readonly PlacedContour[]): ContourPlane[] {
  const planes: { height: number; contours: PlacedContour[] }[] = [];
  for (const contour of [...contours].sort((a, b) => a.height - b.height)) {
    const last = planes.at(-1);
    if (last !== undefined && contour.height - last.height < SAME_PLANE) last.contours.push(contour);
    else planes.push({ height: contour.height, contours: [contour] });
  }
  return planes;
}

/** Lowest and highest column and row of a contour. */
export function extentOf({ polygon }: PlacedContour): { readonly low: Pixel; readonly high: Pixel } {
  let [i0, j0, i1, j1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [i, j] of polygon) {
    i0 = Math.min(i0, i);
    i1 = Math.max(i1, i);
    j0 = Math.min(j0, j);
    j1 = Math.max(j1, j);
  }
  return { low: [i0, j0], high: [i1, j1] };
}

/** True when some contours of one set lie over some of the other: both are cuts through the same thing. */
export function liesOver(some: readonly PlacedContour[], others: readonly PlacedContour[]): boolean {
  const boxes = others.map(extentOf);
  return some.some((contour) => {
    const { low, high } = extentOf(contour);
    return boxes.some((box) => [0, 1].every((axis) => low[axis]! <= box.high[axis]! && high[axis]! >= box.low[axis]!));
  });
}

/** The contours without those that repeat another one point by point: two of a kind would cancel each other. */
export function withoutRepeats(contours: readonly PlacedContour[]): PlacedContour[] {
  return [...new Map(contours.map((contour) => [contour.polygon.join(' '), contour])).values()];
}
