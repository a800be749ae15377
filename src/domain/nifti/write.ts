import { affineRas } from '../geometry/affine.js';
import { addScaled, cross, dot, unit } from '../geometry/vector.js';
import type { Geometry, Vec3, Volume, VoxelArray } from '../geometry/volume.js';
import { NIFTI_TYPES, niftiTypeOf, VOXEL_OFFSET, type NiftiType } from './layout.js';

/** Rotation of the axes (RAS) as unit quaternion (b, c, d; a ≥ 0) and the handedness, NIfTI's `qfac`. */
interface Quaternion {
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly qfac: 1 | -1;
}

/** Quaternion of three directions (LPS); axes that are not quite at right angles are straightened first. */
function quaternionOf(directions: Geometry['directions']): Quaternion {
  const [u, v, w] = directions.map(([x, y, z]): Vec3 => [-x, -y, z]) as unknown as [Vec3, Vec3, Vec3];
  const i = unit(u);
  const j = unit(addScaled(v, i, -dot(v, i)));
  const right = cross(i, j);
  const qfac = dot(right, w) >= 0 ? 1 : -1;
  // A rotation is right-handed: for a left-handed grid the third axis is reversed and qfac says so. Columns: i, j, right.
  const [m00, m10, m20] = i;
  const [m01, m11, m21] = j;
  const [m02, m12, m22] = right;
  const trace = m00 + m11 + m22;
  // The largest of the four parts is computed first, which keeps the square root away from zero (Shepperd 1978).
  let [a, b, c, d] = [0, 0, 0, 0];
  if (trace > 0) {
    const s = 2 * Math.sqrt(1 + trace);
    [a, b, c, d] = [s / 4, (m21 - m12) / s, (m02 - m20) / s, (m10 - m01) / s];
  } else if (m00 >= m11 && m00 >= m22) {
    const s = 2 * Math.sqrt(1 + m00 - m11 - m22);
    [a, b, c, d] = [(m21 - m12) / s, s / 4, (m01 + m10) / s, (m02 + m20) / s];
  } else if (m11 >= m22) {
    const s = 2 * Math.sqrt(1 + m11 - m00 - m22);
    [a, b, c, d] = [(m02 - m20) / s, (m01 + m10) / s, s / 4, (m12 + m21) / s];
  } else {
    const s = 2 * Math.sqrt(1 + m22 - m00 - m11);
    [a, b, c, d] = [(m10 - m01) / s, (m02 + m20) / s, (m12 + m21) / s, s / 4];
  }
  const sign = a < 0 ? -1 : 1;
  const plain = (value: number): number => (value === 0 ? 0 : sign * value);
  return { b: plain(b), c: plain(c), d: plain(d), qfac };
}

function writeHeader(view: DataView, geometry: Geometry, type: NiftiType): void {
  const { size, spacing } = geometry;
  const { code, bytes } = NIFTI_TYPES[type];
  const short = (at: number, value: number): void => view.setInt16(at, value, true);
  const float = (at: number, value: number): void => view.setFloat32(at, value, true);
  view.setInt32(0, 348, true);
  view.setUint8(38, 0x72); // 'r', regular: some readers ask for it
  [3, ...size, 1, 1, 1, 1].forEach((value, at) => short(40 + 2 * at, value));
  short(70, code);
  short(72, 8 * bytes);
  const rotation = quaternionOf(geometry.directions);
  [rotation.qfac, ...spacing].forEach((value, at) => float(76 + 4 * at, value));
  float(108, VOXEL_OFFSET);
  float(112, 1); // scl_slope: values are what they are
  float(116, 0);
  view.setUint8(123, 2); // millimetres
  'cohortflow'.split('').forEach((letter, at) => view.setUint8(148 + at, letter.charCodeAt(0)));
  short(252, 1); // qform_code and sform_code: scanner coordinates
  short(254, 1);
  const affine = affineRas(geometry);
  [rotation.b, rotation.c, rotation.d, affine[0][3], affine[1][3], affine[2][3]].forEach((value, at) =>
    float(256 + 4 * at, value),
  );
  affine.flat().forEach((value, at) => float(280 + 4 * at, value));
  [0x6e, 0x2b, 0x31, 0].forEach((value, at) => view.setUint8(344 + at, value)); // "n+1"
}

interface Arrays {
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  float32: Float32Array;
  float64: Float64Array;
}

const CONSTRUCTORS: {
  readonly [T in NiftiType]: new (buffer: ArrayBuffer, offset: number, length: number) => Arrays[T];
} = {
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
};

/**
 * A NIfTI-1 file whose voxels are still to be filled in: `data` is a view into `bytes`, so that a volume never exists
 * twice. The header is complete.
 */
export function allocateNifti<T extends NiftiType>(
  geometry: Geometry,
  type: T,
): { bytes: Uint8Array; data: Arrays[T] } {
  const count = geometry.size[0] * geometry.size[1] * geometry.size[2];
  const buffer = new ArrayBuffer(VOXEL_OFFSET + count * NIFTI_TYPES[type].bytes);
  writeHeader(new DataView(buffer), geometry, type);
  return { bytes: new Uint8Array(buffer), data: new CONSTRUCTORS[type](buffer, VOXEL_OFFSET, count) };
}

/**
 * A volume as an uncompressed NIfTI-1 file: array order kept, affine in RAS as sform and qform (codes 1), millimetres,
 * scl_slope 1, scl_inter 0. Little-endian. Equal input gives equal bytes.
 *
 * Sides are limited to 32,767 voxels by the format.
 */
export function writeNifti(volume: Volume<VoxelArray>): Uint8Array {
  const { bytes, data } = allocateNifti(volume.geometry, niftiTypeOf(volume.data));
  data.set(volume.data);
  return bytes;
}
