import { describe, expect, it } from 'vitest';
import type { Geometry, Vec3, Volume } from '../../../../src/domain/geometry/volume.js';
import { largestIndex, maskProfile, spreadIndexes, windowOf } from '../../../../src/domain/overlay/choose.js';
import { orthogonalPicture } from '../../../../src/domain/overlay/pictures.js';
import { patientAxes, viewOf } from '../../../../src/domain/overlay/views.js';

const AXIAL: Geometry['directions'] = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];
/** Columns run to the back, rows to the feet, slices to the left: a sagittal acquisition. */
const SAGITTAL: Geometry['directions'] = [
  [0, 1, 0],
  [0, 0, -1],
  [1, 0, 0],
];

function volumeOf(
  size: Vec3,
  directions: Geometry['directions'],
  value: (i: number, j: number, k: number) => number,
): Volume<Float32Array> {
  const data = new Float32Array(size[0] * size[1] * size[2]);
  let at = 0;
  for (let k = 0; k < size[2]; k += 1)
    for (let j = 0; j < size[1]; j += 1) for (let i = 0; i < size[0]; i += 1) data[at++] = value(i, j, k);
  return { geometry: { size, spacing: [1, 1, 1], origin: [0, 0, 0], directions }, data };
}

describe('views', () => {
  it('shows an axial CT as it is stored: patient right at the left, front at the top', () => {
    const image = volumeOf([3, 2, 1], AXIAL, (i, j) => 10 * j + i);
    const { values, width, height, edges } = viewOf(image, image, 'axial', 0);
    expect([width, height, ...values]).toEqual([3, 2, 0, 1, 2, 10, 11, 12]);
    expect(edges).toEqual(['R', 'L', 'A', 'P']);
  });

  it('turns a coronal view so that the head is at the top', () => {
    const image = volumeOf([2, 1, 3], AXIAL, (i, _, k) => 10 * k + i);
    expect([...viewOf(image, image, 'coronal', 0).values]).toEqual([20, 21, 10, 11, 0, 1]);
  });

  it('finds the patient axes of a sagittal acquisition and shows its axial plane upright', () => {
    // Voxel (i, j, k) lies at LPS (k, i, -j).
    const image = volumeOf([3, 2, 4], SAGITTAL, (i, j, k) => 100 * j + 10 * i + k);
    expect(patientAxes(image.geometry)).toEqual([
      { axis: 2, forward: true },
      { axis: 0, forward: true },
      { axis: 1, forward: false },
    ]);
    const axial = viewOf(image, image, 'axial', 1);
    expect([axial.width, axial.height]).toEqual([4, 3]);
    expect([...axial.values.slice(0, 5)]).toEqual([100, 101, 102, 103, 110]);
    const coronal = viewOf(image, image, 'coronal', 0);
    expect([...coronal.values]).toEqual([0, 1, 2, 3, 100, 101, 102, 103]);
  });

  it('draws where the mask is largest and refuses an empty one', () => {
    const mask = volumeOf([4, 4, 5], AXIAL, (i, _, k) => (k === 3 && i < 3 ? 1 : k === 1 && i === 0 ? 1 : 0));
    expect(largestIndex(maskProfile(mask, 2))).toBe(3);
    expect(spreadIndexes(maskProfile(mask, 2), 4)).toEqual([1, 3]);
    const empty = volumeOf([2, 2, 2], AXIAL, () => 0);
    expect(() => orthogonalPicture('x', empty, empty)).toThrow(/no voxel/);
  });

  it('has a window even for a flat image, and draws volumes of one voxel across', () => {
    const flat = volumeOf([2, 2, 1], AXIAL, () => 7);
    const { low, high } = windowOf(flat, flat);
    expect(high).toBeGreaterThan(low);
    const { sheet, labels } = orthogonalPicture('case-1', flat, flat);
    expect(sheet.rgba.length).toBe(sheet.width * sheet.height * 4);
    expect(labels[0]?.text).toBe('case-1');
  });
});
