import type { Vec3 } from '../geometry/volume.js';
import type { Levels } from './discretise.js';
import { halfOffsets, padLevels, stepOf, type Neighbourhood } from './neighbours.js';

/** Visits the co-occurrence matrices of a region one at a time. */
export interface CoOccurrence {
  readonly offset: Vec3;
  /** n × n counts over the levels that occur, row-major: `counts[a * n + b]` pairs of level a at a voxel and b at its neighbour. */
  readonly counts: Float64Array;
  /** Number of pairs counted. */
  readonly total: number;
}

/**
 * Co-occurrence matrices of a region, one per offset (Haralick 1973). Yielded one by one into the same buffer, since
 * thirteen matrices of thousands of levels would not fit: use `counts` before asking for the next.
 */
export function* coOccurrences(
  levels: Levels,
  size: Vec3,
  neighbourhood: Neighbourhood,
  symmetrical: boolean,
): IterableIterator<CoOccurrence> {
  const n = levels.present.length;
  const width = Math.max(...neighbourhood.distances);
  const { data, inside, strides } = padLevels(levels.data, size, width);
  const counts = new Float64Array(n * n);
  for (const offset of halfOffsets(size, neighbourhood)) {
    counts.fill(0);
    let total = 0;
    const step = stepOf(offset, strides);
    for (const at of inside) {
      const other = data[at + step]!;
      if (other === 0) continue;
      const a = levels.indexOf[data[at]!]!;
      const b = levels.indexOf[other]!;
      counts[a * n + b]! += 1;
      total += 1;
      if (!symmetrical) continue;
      counts[b * n + a]! += 1;
      total += 1;
    }
    if (total > 0) yield { offset, counts, total };
  }
}
