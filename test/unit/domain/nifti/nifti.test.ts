import { describe, expect, it } from 'vitest';
import { CohortflowError } from '../../../../src/domain/errors.js';
import { affineRas, geometryOfRas } from '../../../../src/domain/geometry/affine.js';
import type { Geometry, VoxelArray } from '../../../../src/domain/geometry/volume.js';
import { readNifti } from '../../../../src/domain/nifti/read.js';
import { writeNifti } from '../../../../src/domain/nifti/write.js';

const c = Math.cos(0.4);
const s = Math.sin(0.4);
const right: Geometry = {
  size: [3, 4, 5],
  spacing: [0.5, 0.75, 2.5],
  origin: [-10.5, 20.25, 300],
  directions: [
    [c, s, 0],
    [-s, c, 0],
    [0, 0, 1],
  ],
};
const left: Geometry = { ...right, directions: [right.directions[0], right.directions[1], [0, 0, -1]] };
const upsideDown: Geometry = {
  ...right,
  directions: [
    [-1, 0, 0],
    [0, 0, -1],
    [0, -1, 0],
  ],
};
const values = (length: number): number[] => Array.from({ length }, (_, at) => (at * 7) % 100);

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof CohortflowError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'none';
};

/** The qform of a header as a matrix, by the formula of the NIfTI standard. */
function qformOf(bytes: Uint8Array): number[][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const f = (at: number): number => view.getFloat32(at, true);
  const [b, cc, d] = [f(256), f(260), f(264)];
  const a = Math.sqrt(Math.max(0, 1 - b * b - cc * cc - d * d));
  const [dx, dy, dz] = [f(80), f(84), f(88) * f(76)];
  return [
    [(a * a + b * b - cc * cc - d * d) * dx, 2 * (b * cc - a * d) * dy, 2 * (b * d + a * cc) * dz, f(268)],
    [2 * (b * cc + a * d) * dx, (a * a + cc * cc - b * b - d * d) * dy, 2 * (cc * d - a * b) * dz, f(272)],
    [2 * (b * d - a * cc) * dx, 2 * (cc * d + a * b) * dy, (a * a + d * d - b * b - cc * cc) * dz, f(276)],
  ];
}

describe('writing NIfTI', () => {
  it.each([
    ['right-handed', right],
    ['left-handed', left],
    ['turned by half a circle', upsideDown],
  ])('gives qform and sform that say the same: %s axes', (_, geometry) => {
    const bytes = writeNifti({ geometry, data: Int16Array.from(values(60)) });
    const sform = affineRas(geometry);
    qformOf(bytes).forEach((row, i) => row.forEach((value, j) => expect(value).toBeCloseTo(sform[i as 0][j as 0], 4)));
    const back = readNifti(bytes, 'x');
    expect(back.orientation).toBe('sform');
    geometry.spacing.forEach((value, axis) => expect(back.geometry.spacing[axis]).toBeCloseTo(value, 6));
    geometry.origin.forEach((value, axis) => expect(back.geometry.origin[axis]).toBeCloseTo(value, 4));
  });

  it('has the fields that readers look at', () => {
    const bytes = writeNifti({ geometry: right, data: Int16Array.from(values(60)) });
    const view = new DataView(bytes.buffer);
    expect([view.getInt32(0, true), view.getInt16(70, true), view.getInt16(72, true), view.getUint8(123)]).toEqual([
      348, 4, 16, 2,
    ]);
    expect([view.getFloat32(108, true), view.getFloat32(112, true), view.getFloat32(116, true)]).toEqual([352, 1, 0]);
    expect([view.getInt16(252, true), view.getInt16(254, true)]).toEqual([1, 1]);
    expect(bytes.length).toBe(352 + 120);
  });

  it.each<[string, VoxelArray]>([
    ['uint8', Uint8Array.from(values(60))],
    ['int16', Int16Array.from(values(60), (value) => -value)],
    ['uint16', Uint16Array.from(values(60), (value) => 600 * value)],
    ['int32', Int32Array.from(values(60), (value) => -70000 * value)],
    ['float32', Float32Array.from(values(60), (value) => value / 3)],
    ['float64', Float64Array.from(values(60), (value) => value / 3)],
  ])('and reading it back gives the same array: %s', (_, data) => {
    expect(readNifti(writeNifti({ geometry: right, data }), 'x').data).toEqual(data);
  });
});

describe('reading NIfTI', () => {
  const plain = writeNifti({ geometry: right, data: Int16Array.from(values(60)) });
  const edit = (change: (view: DataView) => void, bytes = plain): Uint8Array => {
    const copy = bytes.slice();
    change(new DataView(copy.buffer));
    return copy;
  };

  it('applies scl_slope and scl_inter in double precision', () => {
    const bytes = edit((view) => {
      view.setFloat32(112, 0.5, true);
      view.setFloat32(116, -1024, true);
    });
    expect(Array.from(readNifti(bytes, 'x').data)).toEqual(values(60).map((value) => value * 0.5 - 1024));
    expect(
      readNifti(
        edit((view) => view.setFloat32(112, 0, true)),
        'x',
      ).data,
    ).toBeInstanceOf(Int16Array);
    expect(
      readNifti(
        edit((view) => view.setFloat32(112, NaN, true)),
        'x',
      ).data,
    ).toBeInstanceOf(Int16Array);
  });

  it('takes the qform where there is no sform, and voxel sizes where there is neither', () => {
    const byQform = readNifti(
      edit((view) => view.setInt16(254, 0, true)),
      'x',
    );
    expect(byQform.orientation).toBe('qform');
    affineRas(byQform.geometry).forEach((row, i) =>
      row.forEach((value, j) => expect(value).toBeCloseTo(affineRas(right)[i as 0][j as 0], 4)),
    );
    const neither = readNifti(
      edit((view) => {
        view.setInt16(252, 0, true);
        view.setInt16(254, 0, true);
      }),
      'x',
    );
    expect(neither.orientation).toBe('none');
    expect(neither.geometry.spacing).toEqual([0.5, 0.75, 2.5]);
    const flat = readNifti(
      edit((view) => {
        for (let at = 280; at < 328; at += 4) view.setFloat32(at, 0, true);
      }),
      'x',
    );
    expect(flat.orientation).toBe('qform');
  });

  it('reads micrometres as millimetres', () => {
    expect(
      readNifti(
        edit((view) => view.setUint8(123, 3)),
        'x',
      ).geometry.spacing[2],
    ).toBeCloseTo(0.0025, 8);
  });

  it('reads the other byte order', () => {
    const header = new DataView(new ArrayBuffer(352 + 120));
    const from = new DataView(plain.buffer, plain.byteOffset);
    header.setInt32(0, 348, false);
    for (let at = 40; at < 56; at += 2) header.setInt16(at, from.getInt16(at, true), false);
    for (const at of [70, 72, 252, 254]) header.setInt16(at, from.getInt16(at, true), false);
    for (let at = 76; at < 120; at += 4) header.setFloat32(at, from.getFloat32(at, true), false);
    for (let at = 256; at < 328; at += 4) header.setFloat32(at, from.getFloat32(at, true), false);
    new Uint8Array(header.buffer).set(plain.subarray(344, 348), 344);
    header.setUint8(123, 2);
    for (let at = 352; at < 472; at += 2) header.setInt16(at, from.getInt16(at, true), false);
    const read = readNifti(new Uint8Array(header.buffer), 'x');
    expect(Array.from(read.data)).toEqual(values(60));
    expect(read.geometry.origin[2]).toBe(300);
  });

  it('reads NIfTI-2 with 64-bit integers', () => {
    const view = new DataView(new ArrayBuffer(544 + 8 * 8));
    view.setInt32(0, 540, true);
    new Uint8Array(view.buffer).set([0x6e, 0x2b, 0x32, 0, 0x0d, 0x0a, 0x1a, 0x0a], 4);
    view.setInt16(12, 1024, true);
    [3, 2, 2, 2, 1, 1, 1, 1].forEach((value, at) => view.setBigInt64(16 + 8 * at, BigInt(value), true));
    [1, 1, 2, 3].forEach((value, at) => view.setFloat64(104 + 8 * at, value, true));
    view.setBigInt64(168, 544n, true);
    view.setInt32(348, 1, true);
    [-1, 0, 0, 10, 0, -2, 0, 20, 0, 0, 3, 30].forEach((value, at) => view.setFloat64(400 + 8 * at, value, true));
    for (let at = 0; at < 8; at++) view.setBigInt64(544 + 8 * at, BigInt(at - 4), true);
    const { data, geometry } = readNifti(new Uint8Array(view.buffer), 'x');
    expect(Array.from(data)).toEqual([-4, -3, -2, -1, 0, 1, 2, 3]);
    expect(geometry).toMatchObject({ size: [2, 2, 2], spacing: [1, 2, 3], origin: [-10, -20, 30] });
  });

  it.each<[string, (view: DataView) => void, string]>([
    ['a pair', (view) => view.setUint8(345, 0x69), 'pair'],
    [
      'four dimensions',
      (view) => {
        view.setInt16(40, 4, true);
        view.setInt16(48, 2, true);
      },
      'several volumes',
    ],
    ['a negative size', (view) => view.setInt16(42, -3, true), 'dimensions'],
    ['more voxels than bytes', (view) => view.setInt16(42, 300, true), 'truncated'],
    ['colour', (view) => view.setInt16(70, 128, true), 'data type 128'],
    ['no magic', (view) => view.setUint8(344, 0), 'Analyze'],
    ['another header size', (view) => view.setInt32(0, 1, true), 'not a NIfTI'],
    [
      'no voxel sizes and no orientation',
      (view) => {
        view.setInt16(252, 0, true);
        view.setInt16(254, 0, true);
        view.setFloat32(80, 0, true);
      },
      'voxel sizes',
    ],
  ])('refuses %s', (_, change, text) => {
    const code = codeOf(() => readNifti(edit(change), 'brain.nii'));
    expect(code).toMatch(/^NotNifti: brain\.nii/);
    expect(code).toContain(text);
  });
});

describe('affines', () => {
  it('go to RAS and back', () => {
    const back = geometryOfRas(affineRas(left), left.size)!;
    for (const key of ['spacing', 'origin'] as const)
      left[key].forEach((value, axis) => expect(back[key][axis]).toBeCloseTo(value, 12));
    left.directions.flat().forEach((value, at) => expect(back.directions.flat()[at]).toBeCloseTo(value, 12));
  });

  it('without volume are none', () => {
    expect(
      geometryOfRas(
        [
          [1, 1, 0, 0],
          [0, 0, 0, 0],
          [0, 0, 1, 0],
        ],
        [1, 1, 1],
      ),
    ).toBeUndefined();
    expect(
      geometryOfRas(
        [
          [NaN, 0, 0, 0],
          [0, 1, 0, 0],
          [0, 0, 1, 0],
        ],
        [1, 1, 1],
      ),
    ).toBeUndefined();
  });
});
