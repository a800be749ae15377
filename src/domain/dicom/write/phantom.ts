import type { Geometry, Vec3 } from '../../geometry/volume.js';
import { seededRandom } from '../../seeded-random.js';

/** A tumour of a phantom: an ellipsoid. */
export interface PhantomTumour {
  /** LPS, mm. */
  readonly centre: Vec3;
  /** Half axes along i, j, k of the grid, mm. */
  readonly radii: Vec3;
  /** Mean density; default 40 HU. */
  readonly hu?: number;
}

/** What {@link chestPhantom} needs to know. */
export interface PhantomSpec {
  readonly geometry: Geometry;
  readonly tumour: PhantomTumour;
  /** Equal seeds give equal noise. */
  readonly seed: number;
  /** Standard deviation of the noise in HU; default 12. */
  readonly noise?: number;
}

/** A phantom with its truth. */
export interface Phantom {
  readonly hu: Int16Array;
  /** 1 where the voxel centre lies in the tumour. */
  readonly tumour: Uint8Array;
}

/** An axis-aligned axial geometry centred on (0, 0, 0). */
export function axialGeometry(size: Vec3, spacing: Vec3): Geometry {
  return {
    size,
    spacing,
    origin: [(-(size[0] - 1) * spacing[0]) / 2, (-(size[1] - 1) * spacing[1]) / 2, (-(size[2] - 1) * spacing[2]) / 2],
    directions: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  };
}

/**
 * A chest in few shapes: an elliptic body (40 HU) in air, two lungs (-850 HU), a spine (450 HU), and a tumour, with noise
 * that is the sum of four uniform numbers. Shapes scale with the grid's in-plane extent, so every size gives a chest.
 */
export function chestPhantom(spec: PhantomSpec): Phantom {
  const { geometry, tumour } = spec;
  const [columns, rows, slices] = geometry.size;
  const [dx, dy, dz] = geometry.spacing;
  const [width, height] = [(columns * dx) / 2, (rows * dy) / 2];
  const random = seededRandom(spec.seed);
  const sigma = spec.noise ?? 12;
  const hu = new Int16Array(columns * rows * slices);
  const mask = new Uint8Array(hu.length);

  // Tumour centre in mm along the grid's axes, from voxel (0, 0, 0).
  const offset = [0, 1, 2].map((axis) => tumour.centre[axis as 0] - geometry.origin[axis as 0]);
  const along = geometry.directions.map((direction) =>
    direction.reduce((sum, part, axis) => sum + part * (offset[axis] ?? 0), 0),
  );
  const inside = (x: number, y: number, cx: number, cy: number, rx: number, ry: number): boolean =>
    ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1;

  let at = 0;
  for (let k = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++, at++) {
        const [x, y] = [i * dx - width, j * dy - height];
        let value = -1000;
        if (inside(x, y, 0, 0, 0.9 * width, 0.7 * height)) {
          value = 40;
          const lung = 0.38 * width;
          if (inside(x, y, -lung, -0.05 * height, 0.3 * width, 0.48 * height)) value = -850;
          else if (inside(x, y, lung, -0.05 * height, 0.3 * width, 0.48 * height)) value = -850;
          else if (inside(x, y, 0, 0.48 * height, 0.1 * width, 0.13 * height)) value = 450;
        }
        const distance =
          ((i * dx - (along[0] ?? 0)) / tumour.radii[0]) ** 2 +
          ((j * dy - (along[1] ?? 0)) / tumour.radii[1]) ** 2 +
          ((k * dz - (along[2] ?? 0)) / tumour.radii[2]) ** 2;
        if (distance <= 1) {
          mask[at] = 1;
          value = tumour.hu ?? 40;
        }
        // Variance of one uniform number is 1/12, so four of them give 1/3.
        const noise =
          (random.uniform() + random.uniform() + random.uniform() + random.uniform() - 2) * Math.sqrt(3) * sigma;
        hu[at] = Math.max(-1024, Math.min(3071, Math.round(value + noise)));
      }
    }
  }
  return { hu, tumour: mask };
}
