import type { Levels } from './discretise.js';
import type { Neighbourhood } from './neighbours.js';
import type { Roi } from './roi.js';

/** Why a feature has no value. */
export type NullReason = 'ImageTooSmall' | 'NoNeighbours' | 'FlatRegion' | 'EmptyMesh' | 'NotANumber' | 'NotFinite';

/** What each reason means, for geometry.json and the report. */
export const NULL_REASONS: Readonly<Record<NullReason, string>> = {
  ImageTooSmall: 'the image has too few voxels for the filter',
  NoNeighbours: 'no two voxels of the region are neighbours, so the matrix is empty',
  FlatRegion: 'all grey values of the region are equal',
  EmptyMesh: 'the surface of the region encloses nothing',
  NotANumber: 'the region holds grey values that are not finite numbers',
  NotFinite: 'the value is not a finite number',
};

/** Values of one family by feature name, in the family's order. NaN stands for a value that cannot be computed. */
export type FeatureValues = Readonly<Record<string, number>>;

/** The settings that decide texture matrices. */
export interface TextureSettings {
  readonly neighbourhood: Neighbourhood;
  /** Sum the angles' matrices with these weights instead of averaging their features. */
  readonly weighting?: 'manhattan' | 'euclidean' | 'infinity' | 'no_weighting';
  readonly symmetrical: boolean;
  /** Largest level difference at which a neighbour depends on its centre (GLDM). */
  readonly dependence: number;
  /** Added to the grey values of Energy, Total Energy and Root Mean Squared. */
  readonly shift: number;
}

/** What a family is given. */
export interface FamilyInput {
  readonly roi: Roi;
  readonly levels: Levels;
  readonly settings: TextureSettings;
}

/** The smallest double above 1, less 1: what pyradiomics adds inside logarithms. */
export const EPSILON = 2 ** -52;

/** Mean of the values that are numbers; NaN when there are none. */
export function meanOfNumbers(values: readonly number[]): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count += 1;
  }
  return count === 0 ? NaN : sum / count;
}

/** Averages the features of several angles, name by name. */
export function averageOver(angles: readonly FeatureValues[], names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, meanOfNumbers(angles.map((values) => values[name]!))]));
}

/** Length in mm of an offset under a norm. */
export function offsetLength(offset: readonly number[], spacing: readonly number[], norm: string): number {
  const steps = offset.map((step, axis) => Math.abs(step) * spacing[axis]!);
  if (norm === 'infinity') return Math.max(...steps);
  if (norm === 'manhattan') return steps.reduce((sum, step) => sum + step, 0);
  return Math.hypot(...steps);
}
