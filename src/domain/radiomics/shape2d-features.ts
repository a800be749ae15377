import type { Vec3 } from '../geometry/volume.js';
import { hull, longest, type Point } from './mesh.js';
import type { Roi } from './roi.js';
import { principalVariances } from './shape-features.js';

/** 2D shape features in pyradiomics' order; SphericalDisproportion (deprecated there) included, as in the seed set. */
export const SHAPE_2D_NAMES = [
  'Elongation',
  'MajorAxisLength',
  'MaximumDiameter',
  'MeshSurface',
  'MinorAxisLength',
  'Perimeter',
  'PerimeterSurfaceRatio',
  'PixelSurface',
  'Sphericity',
  'SphericalDisproportion',
] as const;

/** The two axes that remain when a region is flat along `flatAxis`. */
function planeAxes(flatAxis: number): readonly [number, number] {
  return [0, 1, 2].filter((axis) => axis !== flatAxis) as [number, number];
}

/** The part of a region on the plane with the most voxels (the first such plane), as a region of one plane. */
export function largestPlane(roi: Roi, flatAxis: number): Roi {
  const [nx, ny] = roi.size;
  const coordinate = (at: number): number => [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))][flatAxis]!;
  const counts = new Float64Array(roi.size[flatAxis]!);
  roi.mask.forEach((inside, at) => (counts[coordinate(at)]! += inside));
  const plane = counts.indexOf(Math.max(...counts));
  const mask = roi.mask.map((inside, at) => (inside === 1 && coordinate(at) === plane ? 1 : 0));
  return { ...roi, mask, count: counts[plane]! };
}

interface Outline {
  readonly surface: number;
  readonly perimeter: number;
  readonly diameter: number;
}

/** Share of a unit square inside the outline, by its corners inside (bit 0 (0,0), 1 (1,0), 2 (1,1), 3 (0,1)). */
const SQUARE_AREA = [0, 1, 1, 4, 1, 2, 4, 7, 1, 4, 2, 7, 4, 7, 7, 8].map((eighths) => eighths / 8);

/** Marching squares over one plane: opposite corners inside are two corners, not a bridge (as pyradiomics). */
function outlineOf(roi: Roi, flatAxis: number): Outline {
  const [u, v] = planeAxes(flatAxis);
  const strides: Vec3 = [1, roi.size[0], roi.size[0] * roi.size[1]];
  const [nu, nv] = [roi.size[u]!, roi.size[v]!];
  const [su, sv] = [roi.spacing[u]!, roi.spacing[v]!];
  const flat = new Uint8Array(nu * nv);
  for (let w = 0; w < roi.size[flatAxis]!; w += 1)
    for (let b = 0; b < nv; b += 1)
      for (let a = 0; a < nu; a += 1) {
        flat[a + nu * b]! |= roi.mask[a * strides[u]! + b * strides[v]! + w * strides[flatAxis]!]!;
      }
  const inside = (a: number, b: number): number => (a < 0 || b < 0 || a >= nu || b >= nv ? 0 : flat[a + nu * b]!);
  const slant = Math.hypot(su / 2, sv / 2);
  let surface = 0;
  let perimeter = 0;
  const vertices: Point[] = [];
  for (let b = -1; b < nv; b += 1) {
    for (let a = -1; a < nu; a += 1) {
      const here = inside(a, b);
      const right = inside(a + 1, b);
      const across = inside(a + 1, b + 1);
      const below = inside(a, b + 1);
      const square = here | (right << 1) | (across << 2) | (below << 3);
      surface += SQUARE_AREA[square]!;
      const corners = here + right + across + below;
      if (corners === 1 || corners === 3) perimeter += slant;
      else if (corners === 2) perimeter += here === across ? 2 * slant : here === right ? su : sv;
      if (here !== right) vertices.push([2 * a + 1, 2 * b, 0]);
      if (here !== below) vertices.push([2 * a, 2 * b + 1, 0]);
    }
  }
  const diameter = Math.sqrt(longest(hull(vertices, 0, 1), [su, sv, 1]));
  return { surface: surface * su * sv, perimeter, diameter };
}

/**
 * Shape of a region on one plane (pyradiomics 3.0.1, shape2D). Lengths in mm, areas in mm². `flatAxis` is the voxel axis
 * across the plane (2 = slices). The region must lie on one plane: see {@link largestPlane}.
 */
export function shape2dFeatures(roi: Roi, flatAxis: number): Record<string, number> {
  const [u, v] = planeAxes(flatAxis);
  const { surface, perimeter, diameter } = outlineOf(roi, flatAxis);
  const [minor, major] = principalVariances(roi, [u, v]) as unknown as [number, number];
  const sphericity = (2 * Math.sqrt(Math.PI * surface)) / perimeter;
  return {
    Elongation: Math.sqrt(minor / major),
    MajorAxisLength: 4 * Math.sqrt(major),
    MaximumDiameter: diameter,
    MeshSurface: surface,
    MinorAxisLength: 4 * Math.sqrt(minor),
    Perimeter: perimeter,
    PerimeterSurfaceRatio: perimeter / surface,
    PixelSurface: roi.count * roi.spacing[u]! * roi.spacing[v]!,
    Sphericity: sphericity,
    SphericalDisproportion: 1 / sphericity,
  };
}
