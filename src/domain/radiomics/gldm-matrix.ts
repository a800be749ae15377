import type { Vec3 } from '../geometry/volume.js';
import type { Levels } from './discretise.js';
import { allOffsets, padLevels, stepOf, type Neighbourhood } from './neighbours.js';
import { SizeMatrix } from './size-matrix.js';

/**
 * Grey level dependence matrix (Sun and Wee 1983): how many neighbours of a voxel differ by at most `dependence` levels.
 * The voxel itself counts, so the smallest dependence is 1.
 */
export function dependenceMatrix(
  levels: Levels,
  size: Vec3,
  neighbourhood: Neighbourhood,
  dependence: number,
): SizeMatrix {
  const width = Math.max(...neighbourhood.distances);
  const { data, inside, strides } = padLevels(levels.data, size, width);
  const steps = allOffsets(size, neighbourhood).map((offset) => stepOf(offset, strides));
  const matrix = new SizeMatrix(steps.length + 1);
  for (const at of inside) {
    const level = data[at]!;
    let dependent = 1;
    for (const step of steps) {
      const other = data[at + step]!;
      if (other > 0 && Math.abs(other - level) <= dependence) dependent += 1;
    }
    matrix.add(level, dependent);
  }
  return matrix;
}
