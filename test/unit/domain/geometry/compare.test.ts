import { describe, expect, it } from 'vitest';
import { lpsToVoxel, voxelToLps } from '../../../../src/domain/geometry/affine.js';
import { axisMapping, compareGeometry } from '../../../../src/domain/geometry/compare.js';
import type { Geometry } from '../../../../src/domain/geometry/volume.js';

const base: Geometry = {
  size: [100, 80, 60],
  spacing: [0.8, 0.8, 2],
  origin: [-150, -120, 33],
  directions: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
};

describe('comparing grids', () => {
  it('takes the rounding of headers for nothing', () => {
    const rounded: Geometry = {
      ...base,
      spacing: [0.8, 0.8, 2].map(Math.fround) as unknown as Geometry['spacing'],
      origin: [-150.0001, -120, 33],
    };
    expect(compareGeometry(base, rounded).differs).toEqual([]);
  });

  it('notices a spacing that adds up over the grid', () => {
    expect(compareGeometry(base, { ...base, spacing: [0.802, 0.8, 2] }).differs).toEqual(['spacing']);
  });

  it('notices a small turn by what it does at the far corner', () => {
    const [c, s] = [Math.cos(0.002), Math.sin(0.002)];
    const turned = compareGeometry(base, {
      ...base,
      directions: [
        [c, s, 0],
        [-s, c, 0],
        [0, 0, 1],
      ],
    });
    expect(turned.differs).toEqual(['direction']);
    expect(turned.explanation).toContain('0.115°');
  });

  it('tells how far corners are apart, in voxels', () => {
    expect(compareGeometry(base, { ...base, origin: [-150, -120, 34] }).worstCornerVoxels).toBeCloseTo(0.5, 9);
    expect(compareGeometry(base, { ...base, size: [100, 80, 61] })).toMatchObject({
      differs: ['size'],
      worstCornerVoxels: Infinity,
    });
  });

  it('finds the flips that make two grids one, and none where they are not', () => {
    const flipped: Geometry = {
      ...base,
      origin: voxelToLps(base, [99, 79, 0]),
      directions: [
        [-1, 0, 0],
        [0, -1, 0],
        [0, 0, 1],
      ],
    };
    expect(axisMapping(base, flipped)).toEqual({ from: [0, 1, 2], reversed: [true, true, false] });
    expect(axisMapping(base, { ...flipped, origin: voxelToLps(base, [98, 79, 0]) })).toBeUndefined();
  });
});

describe('voxels and points', () => {
  it('are inverse to each other for oblique axes that are not at right angles', () => {
    const oblique: Geometry = {
      ...base,
      directions: [
        [0.8, 0.6, 0],
        [-0.6, 0.8, 0],
        [0.1, 0, Math.sqrt(0.99)],
      ],
    };
    const index = lpsToVoxel(oblique)(voxelToLps(oblique, [3.5, 70, 12.25]));
    [3.5, 70, 12.25].forEach((value, axis) => expect(index[axis]).toBeCloseTo(value, 9));
  });
});
