import type { Vec3 } from '../geometry/volume.js';
import { CORNERS, EDGE_MIDDLES, TRIANGLES } from './marching-cubes.js';

/** What a mesh of a region measures. */
export interface Mesh {
  /** mm². */
  readonly area: number;
  /** mm³. */
  readonly volume: number;
  /** Longest distances in mm: in a slice (same k), column (same j), row (same i), and in space. */
  readonly diameters: { readonly slice: number; readonly column: number; readonly row: number; readonly space: number };
}

/** A mask with a border of one empty voxel on every side. */
export interface PaddedMask {
  readonly size: Vec3;
  readonly data: Uint8Array;
}

/** Adds the border that a closed mesh needs. */
export function padMask(mask: Uint8Array, [nx, ny, nz]: Vec3): PaddedMask {
  const size: Vec3 = [nx + 2, ny + 2, nz + 2];
  const data = new Uint8Array(size[0] * size[1] * size[2]);
  for (let k = 0; k < nz; k += 1) {
    for (let j = 0; j < ny; j += 1) {
      const from = nx * (j + ny * k);
      data.set(mask.subarray(from, from + nx), 1 + size[0] * (j + 1 + size[1] * (k + 1)));
    }
  }
  return { size, data };
}

/** Area, and the parts of the enclosed volume, of one kind of cube; the volume depends on where the cube lies. */
interface CubeTerms {
  readonly area: number;
  readonly constant: number;
  readonly linear: Vec3;
}

function cross(a: Vec3, b: Vec3): Vec3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function dot(a: Vec3, b: Vec3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function subtract(a: Vec3, b: Vec3): Vec3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

/**
 * Terms of all 128 cubes. The tetrahedron of a triangle (a, b, c) moved by p has six times the volume
 * (a×b)·c + p·(a×b + b×c + c×a), so a cube costs two additions per mesh instead of its triangles.
 */
function cubeTerms(spacing: Vec3): readonly CubeTerms[] {
  const point = (edge: number): Vec3 => {
    const middle = EDGE_MIDDLES[edge]!;
    return [middle[0] * spacing[0], middle[1] * spacing[1], middle[2] * spacing[2]];
  };
  return TRIANGLES.map((triangles) => {
    let area = 0;
    let constant = 0;
    const linear: [number, number, number] = [0, 0, 0];
    for (const [ea, eb, ec] of triangles) {
      const a = point(ea);
      const b = point(eb);
      const c = point(ec);
      const normal = cross(subtract(a, c), subtract(b, c));
      area += 0.5 * Math.sqrt(dot(normal, normal));
      constant += dot(cross(a, b), c);
      for (const part of [cross(a, b), cross(b, c), cross(c, a)])
        part.forEach((value, axis) => (linear[axis]! += value));
    }
    return { area, constant, linear };
  });
}

/**
 * Area, volume and diameters of the surface mesh of a region (IBSI: surface mesh; pyradiomics 3.0.1). `spacing` in mm
 * along i, j, k. The orientation of the triangles makes the volume positive.
 */
export function meshOf(mask: PaddedMask, spacing: Vec3): Mesh {
  const { size, data } = mask;
  const [nx, ny, nz] = size;
  const terms = cubeTerms(spacing);
  const steps = CORNERS.map(([i, j, k]) => i + nx * (j + ny * k));
  let area = 0;
  let sixVolumes = 0;
  for (let k = 0; k < nz - 1; k += 1) {
    for (let j = 0; j < ny - 1; j += 1) {
      let at = nx * (j + ny * k);
      for (let i = 0; i < nx - 1; i += 1, at += 1) {
        let cube = 0;
        for (let corner = 0; corner < 8; corner += 1) if (data[at + steps[corner]!] !== 0) cube |= 1 << corner;
        if (cube === 0 || cube === 255) continue;
        const flipped = cube > 127;
        const { area: patch, constant, linear } = terms[flipped ? 255 - cube : cube]!;
        area += patch;
        const six = constant + linear[0] * i * spacing[0] + linear[1] * j * spacing[1] + linear[2] * k * spacing[2];
        sixVolumes += flipped ? -six : six;
      }
    }
  }
  return { area, volume: Math.abs(sixVolumes) / 6, diameters: diametersOf(mask, spacing) };
}

/** Mesh vertices in half voxels: the middle between each voxel inside and each of its six neighbours outside. */
function verticesOf({ size, data }: PaddedMask): Int32Array {
  const [nx, ny, nz] = size;
  const vertices: number[] = [];
  for (let k = 0, at = 0; k < nz; k += 1) {
    for (let j = 0; j < ny; j += 1) {
      for (let i = 0; i < nx; i += 1, at += 1) {
        const inside = data[at]!;
        if (i + 1 < nx && data[at + 1] !== inside) vertices.push(2 * i + 1, 2 * j, 2 * k);
        if (j + 1 < ny && data[at + nx] !== inside) vertices.push(2 * i, 2 * j + 1, 2 * k);
        if (k + 1 < nz && data[at + nx * ny] !== inside) vertices.push(2 * i, 2 * j, 2 * k + 1);
      }
    }
  }
  return Int32Array.from(vertices);
}

/** A mesh vertex in half voxels. */
export type Point = readonly [number, number, number];

/** Corners of the convex hull of points in a plane, by two of their coordinates (Andrew's monotone chain). */
export function hull(points: Point[], u: number, v: number): Point[] {
  if (points.length < 3) return points;
  points.sort((a, b) => a[u]! - b[u]! || a[v]! - b[v]!);
  const turn = (o: Point, a: Point, b: Point): number =>
    (a[u]! - o[u]!) * (b[v]! - o[v]!) - (a[v]! - o[v]!) * (b[u]! - o[u]!);
  const chain = (ordered: readonly Point[]): Point[] => {
    const kept: Point[] = [];
    for (const point of ordered) {
      while (kept.length >= 2 && turn(kept.at(-2)!, kept.at(-1)!, point) <= 0) kept.pop();
      kept.push(point);
    }
    return kept.slice(0, -1);
  };
  return [...chain(points), ...chain([...points].reverse())];
}

/** Square of the longest distance in mm between points in half voxels. */
export function longest(points: readonly Point[], spacing: Vec3): number {
  let best = 0;
  for (let a = 0; a < points.length; a += 1) {
    const p = points[a]!;
    for (let b = 0; b < a; b += 1) {
      const q = points[b]!;
      const di = ((p[0] - q[0]) / 2) * spacing[0];
      const dj = ((p[1] - q[1]) / 2) * spacing[1];
      const dk = ((p[2] - q[2]) / 2) * spacing[2];
      const square = di * di + dj * dj + dk * dk;
      if (square > best) best = square;
    }
  }
  return best;
}

/**
 * Longest distances between mesh vertices. Two points that are furthest apart are corners of the convex hull, and so are
 * corners of the hull of their own plane: comparing hull corners only is exact and turns days into milliseconds.
 */
function diametersOf(mask: PaddedMask, spacing: Vec3): Mesh['diameters'] {
  const vertices = verticesOf(mask);
  const planes = (axis: number): Point[][] => {
    const byPlane = new Map<number, Point[]>();
    for (let at = 0; at < vertices.length; at += 3) {
      const plane = vertices[at + axis]!;
      const points = byPlane.get(plane) ?? [];
      points.push([vertices[at]!, vertices[at + 1]!, vertices[at + 2]!]);
      byPlane.set(plane, points);
    }
    const others = [0, 1, 2].filter((other) => other !== axis) as [number, number];
    return [...byPlane.values()].map((points) => hull(points, ...others));
  };
  const inPlane = (hulls: Point[][]): number =>
    Math.sqrt(Math.max(0, ...hulls.map((points) => longest(points, spacing))));
  const slices = planes(2);
  return {
    slice: inPlane(slices),
    column: inPlane(planes(1)),
    row: inPlane(planes(0)),
    space: Math.sqrt(longest(slices.flat(), spacing)),
  };
}
