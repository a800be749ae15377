import type { Vec3 } from '../geometry/volume.js';
import type { Levels } from './discretise.js';
import { halfOffsets, padLevels, stepOf, type Neighbourhood } from './neighbours.js';

/**
 * The cells of a co-occurrence matrix that are not empty, row by row: `weights[c]` pairs have the level with index
 * `rows[c]` at a voxel and `columns[c]` at its neighbour. A region has fewer pairs than its levels have combinations once
 * there are hundreds of levels, so the empty ones are not kept.
 */
export interface Cells {
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  readonly weights: Float64Array;
  /** Sum of the weights. */
  readonly total: number;
}

/** The co-occurrence matrix along one offset. */
export interface CoOccurrence {
  readonly offset: Vec3;
  readonly cells: Cells;
}

/** Up to this many levels pairs are counted in a square; above, they are sorted. */
const SQUARE = 512;

function cellsOfKeys(keys: Float64Array | readonly number[], weights: ArrayLike<number>, n: number): Cells {
  const columns = Int32Array.from(keys, (key) => key % n);
  const rows = Int32Array.from(keys, (key) => Math.floor(key / n));
  const own = Float64Array.from(weights);
  return { rows, columns, weights: own, total: own.reduce((sum, weight) => sum + weight, 0) };
}

function cellsOfSquare(counts: Float64Array, n: number): Cells {
  const keys: number[] = [];
  for (let key = 0; key < counts.length; key += 1) if (counts[key]! > 0) keys.push(key);
  return cellsOfKeys(
    keys,
    keys.map((key) => counts[key]!),
    n,
  );
}

function cellsOfSorted(keys: Float64Array, n: number): Cells {
  keys.sort();
  const distinct: number[] = [];
  const counts: number[] = [];
  for (let at = 0; at < keys.length; at += 1) {
    if (at > 0 && keys[at] === keys[at - 1]) counts[counts.length - 1]! += 1;
    else {
      distinct.push(keys[at]!);
      counts.push(1);
    }
  }
  return cellsOfKeys(distinct, counts, n);
}

/** Adds up matrices of n levels, each times its weight. */
export function sumOfCells(parts: readonly { readonly cells: Cells; readonly weight: number }[], n: number): Cells {
  const sums = new Map<number, number>();
  for (const { cells, weight } of parts) {
    cells.weights.forEach((count, at) => {
      const key = cells.rows[at]! * n + cells.columns[at]!;
      sums.set(key, (sums.get(key) ?? 0) + weight * count);
    });
  }
  const keys = Float64Array.from(sums.keys()).sort();
  const weights = keys.map((key) => sums.get(key)!);
  return cellsOfKeys(keys, weights, n);
}

/**
 * Co-occurrence matrices of a region, one per offset (Haralick 1973), one at a time. Offsets along which no two voxels of
 * the region are neighbours have none.
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
  const square = n <= SQUARE ? new Float64Array(n * n) : undefined;
  const keys = square === undefined ? new Float64Array(inside.length * (symmetrical ? 2 : 1)) : undefined;
  for (const offset of halfOffsets(size, neighbourhood)) {
    const step = stepOf(offset, strides);
    square?.fill(0);
    let pairs = 0;
    for (const at of inside) {
      const other = data[at + step]!;
      if (other === 0) continue;
      const a = levels.indexOf[data[at]!]!;
      const b = levels.indexOf[other]!;
      if (square !== undefined) {
        square[a * n + b]! += 1;
        if (symmetrical) square[b * n + a]! += 1;
      } else if (keys !== undefined) {
        keys[pairs] = a * n + b;
        if (symmetrical) keys[inside.length + pairs] = b * n + a;
      }
      pairs += 1;
    }
    if (pairs === 0) continue;
    if (square !== undefined) yield { offset, cells: cellsOfSquare(square, n) };
    else if (keys !== undefined) {
      const found = new Float64Array(symmetrical ? 2 * pairs : pairs);
      found.set(keys.subarray(0, pairs));
      if (symmetrical) found.set(keys.subarray(inside.length, inside.length + pairs), pairs);
      yield { offset, cells: cellsOfSorted(found, n) };
    }
  }
}
