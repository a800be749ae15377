import { padLevels, stepOf, allOffsets, type Neighbourhood } from './neighbours.js';
import type { Vec3 } from '../geometry/volume.js';
import type { Levels } from './discretise.js';
import { SizeMatrix } from './size-matrix.js';

/** Size zone matrix (Thibault 2014): connected zones of equal level, 26-connected (8-connected when flat). */
export function zoneMatrix(levels: Levels, size: Vec3, neighbourhood: Neighbourhood): SizeMatrix {
  const { data, inside, strides } = padLevels(levels.data, size, 1);
  const steps = allOffsets(size, { ...neighbourhood, distances: [1] }).map((offset) => stepOf(offset, strides));
  const matrix = new SizeMatrix(inside.length);
  const stack = new Int32Array(inside.length);
  for (const seed of inside) {
    const level = data[seed]!;
    if (level === 0) continue;
    let top = 0;
    let zone = 0;
    stack[top++] = seed;
    // Zero marks a voxel as taken; each is pushed once, so the stack never outgrows the region.
    data[seed] = 0;
    while (top > 0) {
      const at = stack[--top]!;
      zone += 1;
      for (const step of steps) {
        if (data[at + step] !== level) continue;
        data[at + step] = 0;
        stack[top++] = at + step;
      }
    }
    matrix.add(level, zone);
  }
  return matrix;
}
