import type { Geometry, Vec3, Volume } from '../geometry/volume.js';

/** A voxel axis seen along a patient axis: which voxel axis (0 i, 1 j, 2 k) and whether its index grows that way. */
interface SeenAxis {
  readonly axis: 0 | 1 | 2;
  readonly forward: boolean;
}

/** Patient axes in LPS: which voxel axis runs most along each, and in which sense. */
export function patientAxes({ directions }: Geometry): readonly [SeenAxis, SeenAxis, SeenAxis] {
  const free = new Set<0 | 1 | 2>([0, 1, 2]);
  const seen: SeenAxis[] = [];
  for (const world of [2, 1, 0] as const) {
    // The best of what is left: an oblique volume still shows each voxel axis once.
    const axis = [...free].reduce((best, candidate) =>
      Math.abs(directions[candidate][world]) > Math.abs(directions[best][world]) ? candidate : best,
    );
    free.delete(axis);
    seen.unshift({ axis, forward: directions[axis][world] > 0 });
  }
  return seen as unknown as readonly [SeenAxis, SeenAxis, SeenAxis];
}

/** A plane through a volume as a radiologist sees it: pixels with grey values and mask, mm per pixel. */
export interface View {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
  readonly mask: Uint8Array;
  /** mm per pixel across and down. */
  readonly pixel: readonly [number, number];
  /** Letters at the left, right, top and bottom edge. */
  readonly edges: readonly [string, string, string, string];
}

export type Plane = 'axial' | 'coronal' | 'sagittal';

/**
 * Patient axes across and down the picture (LPS: 0 right to left, 1 front to back, 2 feet to head), and the letters at the
 * picture's edges. Axial is seen from the feet, coronal from the front: the patient's left is on the right.
 */
const PLANES = {
  axial: { across: 0, down: 1, through: 2, flipDown: false, edges: ['R', 'L', 'A', 'P'] },
  coronal: { across: 0, down: 2, through: 1, flipDown: true, edges: ['R', 'L', 'S', 'I'] },
  sagittal: { across: 1, down: 2, through: 0, flipDown: true, edges: ['A', 'P', 'S', 'I'] },
} as const;

/** The voxel axis that a plane cuts across. */
export function throughAxis(geometry: Geometry, plane: Plane): 0 | 1 | 2 {
  return patientAxes(geometry)[PLANES[plane].through].axis;
}

/** Cuts a plane out of an image and its mask (one grid) at `index` along the voxel axis it cuts across. */
export function viewOf(image: Volume, mask: Volume, plane: Plane, index: number): View {
  const { size, spacing } = image.geometry;
  const axes = patientAxes(image.geometry);
  const { across, down, through, flipDown, edges } = PLANES[plane];
  const x = axes[across];
  const y = axes[down];
  const width = size[x.axis];
  const height = size[y.axis];
  const strides: Vec3 = [1, size[0], size[0] * size[1]];
  const values = new Float32Array(width * height);
  const inside = new Uint8Array(width * height);
  const base = index * strides[axes[through].axis];
  for (let row = 0; row < height; row += 1) {
    const b = y.forward !== flipDown ? row : height - 1 - row;
    for (let column = 0; column < width; column += 1) {
      const a = x.forward ? column : width - 1 - column;
      const at = base + a * strides[x.axis] + b * strides[y.axis];
      values[row * width + column] = image.data[at]!;
      inside[row * width + column] = mask.data[at] === 0 ? 0 : 1;
    }
  }
  return { width, height, values, mask: inside, pixel: [spacing[x.axis], spacing[y.axis]], edges };
}
