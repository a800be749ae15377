import type { Vec3 } from './volume.js';

/** Small vector algebra on three numbers; frames are the caller's. */

export const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

export const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

export const subtract = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];

/** a + factor·b */
export const addScaled = (a: Vec3, b: Vec3, factor: number): Vec3 => [
  a[0] + factor * b[0],
  a[1] + factor * b[1],
  a[2] + factor * b[2],
];

export const scale = (a: Vec3, factor: number): Vec3 => [a[0] * factor, a[1] * factor, a[2] * factor];

export const norm = (a: Vec3): number => Math.hypot(a[0], a[1], a[2]);

/** The vector of length 1 along `a`; not finite for a zero vector. */
export const unit = (a: Vec3): Vec3 => scale(a, 1 / norm(a));

export const isFinite3 = (a: Vec3): boolean => a.every(Number.isFinite);
