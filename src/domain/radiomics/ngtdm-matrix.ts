import type { Vec3 } from '../geometry/volume.js';
import type { Levels } from './discretise.js';
import { allOffsets, padLevels, stepOf, type Neighbourhood } from './neighbours.js';

/** Neighbourhood grey tone differences, per level that occurs. */
export interface ToneDifferences {
  /** Levels, ascending. */
  readonly levels: readonly number[];
  /** Share of the counted voxels per level. */
  readonly shares: readonly number[];
  /** Sum of differences to the mean of the neighbours, per level. */
  readonly differences: readonly number[];
  /** Voxels counted. */
  readonly total: number;
}

/** Tone differences of a region (Amadasun and King 1989). */
export function toneDifferences(levels: Levels, size: Vec3, neighbourhood: Neighbourhood): ToneDifferences {
  const width = Math.max(...neighbourhood.distances);
  const { data, inside, strides } = padLevels(levels.data, size, width);
  const steps = allOffsets(size, neighbourhood).map((offset) => stepOf(offset, strides));
  const counts = new Float64Array(levels.highest + 1);
  const differences = new Float64Array(levels.highest + 1);
  let total = 0;
  for (const at of inside) {
    const level = data[at]!;
    let sum = 0;
    let neighbours = 0;
    for (const step of steps) {
      const other = data[at + step]!;
      if (other === 0) continue;
      sum += other;
      neighbours += 1;
    }
    counts[level]! += 1;
    total += 1;
    // A voxel without neighbours counts, as one that differs from nothing.
    if (neighbours > 0) differences[level]! += Math.abs(level - sum / neighbours);
  }
  const found = [...levels.present].filter((level) => counts[level]! > 0);
  return {
    levels: found,
    shares: found.map((level) => counts[level]! / total),
    differences: found.map((level) => differences[level]!),
    total,
  };
}
