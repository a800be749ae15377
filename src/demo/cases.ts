import type { Vec3 } from '../domain/geometry/volume.js';

/** How a case's tumour is written, as tools in the field do it; `none`: a CT without a segmentation. */
export type SegmentationForm = 'whole' | 'sparse' | 'cropped' | 'two-segments' | 'contours' | 'none';

/** One case of the demo cohort: its truth, from which its files are made. */
export interface DemoCase {
  readonly caseId: string;
  readonly seed: number;
  readonly form: SegmentationForm;
  /** LPS, mm, from the middle of the scan. */
  readonly centre: Vec3;
  /** Half axes along columns, rows and slices, mm; contours are of spheres. */
  readonly radii: Vec3;
  /** Mean density of the tumour, HU. */
  readonly hu: number;
  /** 0: no reads; 2: the reads come as two lanes. */
  readonly lanes: 0 | 1 | 2;
}

const sphere = (radius: number): Vec3 => [radius, radius, radius];

/**
 * The twelve. As in a real cohort the segmentations were written by different tools, one case has no reads, one has two
 * lanes, and one (the last) has no segmentation.
 */
export const DEMO_CASES: readonly DemoCase[] = [
  { caseId: 'DEMO-01', seed: 101, form: 'whole', centre: [62, -12, 4], radii: sphere(16), hu: 35, lanes: 1 },
  { caseId: 'DEMO-02', seed: 102, form: 'sparse', centre: [-58, 6, -10], radii: [20, 16, 18], hu: 48, lanes: 1 },
  { caseId: 'DEMO-03', seed: 103, form: 'cropped', centre: [70, 14, 12], radii: sphere(13), hu: 22, lanes: 1 },
  { caseId: 'DEMO-04', seed: 104, form: 'contours', centre: [-66, -20, 0], radii: sphere(18), hu: 40, lanes: 1 },
  { caseId: 'DEMO-05', seed: 105, form: 'two-segments', centre: [60, 0, -6], radii: [22, 20, 20], hu: 30, lanes: 2 },
  { caseId: 'DEMO-06', seed: 106, form: 'whole', centre: [-72, 10, 14], radii: [12, 14, 16], hu: 55, lanes: 1 },
  { caseId: 'DEMO-07', seed: 107, form: 'sparse', centre: [56, -24, 8], radii: sphere(21), hu: 44, lanes: 0 },
  { caseId: 'DEMO-08', seed: 108, form: 'contours', centre: [66, 8, -14], radii: sphere(14), hu: 28, lanes: 1 },
  { caseId: 'DEMO-09', seed: 109, form: 'cropped', centre: [-60, -6, 6], radii: [18, 24, 20], hu: 38, lanes: 1 },
  { caseId: 'DEMO-10', seed: 110, form: 'two-segments', centre: [-64, 16, -4], radii: sphere(17), hu: 50, lanes: 1 },
  { caseId: 'DEMO-11', seed: 111, form: 'sparse', centre: [74, -4, 0], radii: [14, 12, 20], hu: 33, lanes: 1 },
  { caseId: 'DEMO-12', seed: 112, form: 'none', centre: [-68, 0, 2], radii: sphere(15), hu: 42, lanes: 1 },
];

/** Volume of the tumour as it was drawn, in mm³: the number that the features are compared with. */
export function tumourVolumeMm3({ radii }: DemoCase): number {
  return (4 / 3) * Math.PI * radii[0] * radii[1] * radii[2];
}
