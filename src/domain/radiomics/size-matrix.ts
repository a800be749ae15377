import { EPSILON } from './family.js';

/**
 * A grey level by size matrix in sparse form: how many runs, zones or dependences of each level have each size. GLRLM,
 * GLSZM and GLDM are the same matrix of different things, so their statistics are written once.
 */
export class SizeMatrix {
  private readonly cells = new Map<number, number>();
  /** Runs, zones or dependences in all. */
  total = 0;

  constructor(private readonly mostSizes: number) {}

  /** Counts one thing of `level` and `size` (both from 1; size at most `mostSizes`). */
  add(level: number, size: number): void {
    const key = level * (this.mostSizes + 1) + size;
    this.cells.set(key, (this.cells.get(key) ?? 0) + 1);
    this.total += 1;
  }

  /** Adds another matrix, every count times `weight`. */
  addWeighted(other: SizeMatrix, weight: number): void {
    for (const [level, size, count] of other.entries()) {
      const key = level * (this.mostSizes + 1) + size;
      this.cells.set(key, (this.cells.get(key) ?? 0) + weight * count);
      this.total += weight * count;
    }
  }

  /** Level, size and count of every cell that is not empty. */
  *entries(): IterableIterator<readonly [level: number, size: number, count: number]> {
    for (const [key, count] of this.cells) {
      const level = Math.floor(key / (this.mostSizes + 1));
      yield [level, key - level * (this.mostSizes + 1), count];
    }
  }
}

/** What can be said of a level by size matrix; each family names these its own way. All NaN for an empty matrix. */
export interface SizeStatistics {
  readonly smallEmphasis: number;
  readonly largeEmphasis: number;
  readonly levelNonUniformity: number;
  readonly levelNonUniformityNormalized: number;
  readonly sizeNonUniformity: number;
  readonly sizeNonUniformityNormalized: number;
  /** Things per voxel that they cover. */
  readonly percentage: number;
  readonly levelVariance: number;
  readonly sizeVariance: number;
  readonly entropy: number;
  readonly lowLevelEmphasis: number;
  readonly highLevelEmphasis: number;
  readonly smallLowEmphasis: number;
  readonly smallHighEmphasis: number;
  readonly largeLowEmphasis: number;
  readonly largeHighEmphasis: number;
}

function addTo(sums: Map<number, number>, key: number, count: number): void {
  sums.set(key, (sums.get(key) ?? 0) + count);
}

/** Sum of squared counts, and the variance of the keys weighted by their counts. */
function marginal(sums: ReadonlyMap<number, number>, total: number): { squares: number; variance: number } {
  let squares = 0;
  let mean = 0;
  for (const [key, count] of sums) {
    squares += count * count;
    mean += (key * count) / total;
  }
  let variance = 0;
  for (const [key, count] of sums) variance += (count / total) * (key - mean) ** 2;
  return { squares, variance };
}

/** Statistics of a level by size matrix (IBSI sections 3.7, 3.8 and 3.11; pyradiomics' GLRLM, GLSZM and GLDM). */
export function sizeStatistics(matrix: SizeMatrix): SizeStatistics {
  const { total } = matrix;
  const byLevel = new Map<number, number>();
  const bySize = new Map<number, number>();
  const sum = { s: 0, l: 0, low: 0, high: 0, sl: 0, sh: 0, ll: 0, lh: 0, voxels: 0, entropy: 0 };
  for (const [level, size, count] of matrix.entries()) {
    addTo(byLevel, level, count);
    addTo(bySize, size, count);
    const level2 = level * level;
    const size2 = size * size;
    sum.s += count / size2;
    sum.l += count * size2;
    sum.low += count / level2;
    sum.high += count * level2;
    sum.sl += count / (level2 * size2);
    sum.sh += (count * level2) / size2;
    sum.ll += (count * size2) / level2;
    sum.lh += count * level2 * size2;
    sum.voxels += count * size;
    const p = count / total;
    sum.entropy -= p * Math.log2(p + EPSILON);
  }
  const levels = marginal(byLevel, total);
  const sizes = marginal(bySize, total);
  const empty = total === 0;
  return {
    smallEmphasis: sum.s / total,
    largeEmphasis: sum.l / total,
    levelNonUniformity: levels.squares / total,
    levelNonUniformityNormalized: levels.squares / total ** 2,
    sizeNonUniformity: sizes.squares / total,
    sizeNonUniformityNormalized: sizes.squares / total ** 2,
    percentage: total / sum.voxels,
    levelVariance: empty ? NaN : levels.variance,
    sizeVariance: empty ? NaN : sizes.variance,
    entropy: empty ? NaN : sum.entropy,
    lowLevelEmphasis: sum.low / total,
    highLevelEmphasis: sum.high / total,
    smallLowEmphasis: sum.sl / total,
    smallHighEmphasis: sum.sh / total,
    largeLowEmphasis: sum.ll / total,
    largeHighEmphasis: sum.lh / total,
  };
}
