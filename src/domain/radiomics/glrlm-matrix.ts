import type { Vec3 } from '../geometry/volume.js';
import type { Levels } from './discretise.js';
import { halfOffsets, type Neighbourhood } from './neighbours.js';
import { SizeMatrix } from './size-matrix.js';

/** A grey level run length matrix along one offset. */
export interface RunMatrix {
  readonly offset: Vec3;
  readonly matrix: SizeMatrix;
}

/**
 * Run length matrices of a region, one per direction (Galloway 1975): runs of voxels of equal level along a line, broken
 * by voxels outside. A direction in which no line holds two voxels of the region says nothing and has no matrix.
 */
export function runMatrices(levels: Levels, size: Vec3, neighbourhood: Neighbourhood): readonly RunMatrix[] {
  const [nx, ny, nz] = size;
  const found: RunMatrix[] = [];
  // Runs are along lines of direct neighbours, whatever the distances of the co-occurrences.
  for (const offset of halfOffsets(size, { ...neighbourhood, distances: [1] })) {
    const [di, dj, dk] = offset;
    const step = di + nx * (dj + ny * dk);
    const matrix = new SizeMatrix(Math.max(nx, ny, nz));
    let severalOnALine = false;
    const isInside = (i: number, j: number, k: number): boolean =>
      i >= 0 && i < nx && j >= 0 && j < ny && k >= 0 && k < nz;
    const follow = (i0: number, j0: number, k0: number): void => {
      let [i, j, k] = [i0, j0, k0];
      let at = i + nx * (j + ny * k);
      let level = 0;
      let run = 0;
      let onLine = 0;
      while (isInside(i, j, k)) {
        const here = levels.data[at]!;
        if (here > 0) onLine += 1;
        if (here === level) run += 1;
        else {
          if (level > 0) matrix.add(level, run);
          level = here;
          run = 1;
        }
        i += di;
        j += dj;
        k += dk;
        at += step;
      }
      if (level > 0) matrix.add(level, run);
      if (onLine > 1) severalOnALine = true;
    };
    // A line starts at every voxel whose predecessor lies outside the box.
    for (let k = 0; k < nz; k += 1)
      for (let j = 0; j < ny; j += 1)
        for (let i = 0; i < nx; i += 1) if (!isInside(i - di, j - dj, k - dk)) follow(i, j, k);
    if (severalOnALine) found.push({ offset, matrix });
  }
  return found;
}
