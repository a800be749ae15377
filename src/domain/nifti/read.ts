import { CohortflowError } from '../errors.js';
import { geometryOfRas, type Affine } from '../geometry/affine.js';
import { compareGeometry } from '../geometry/compare.js';
import type { Geometry, Vec3, Volume, VoxelArray } from '../geometry/volume.js';
import { NIFTI_TYPES, VOXEL_OFFSET } from './layout.js';

/** A NIfTI volume and where its place in the patient came from. */
export interface NiftiVolume extends Volume<VoxelArray> {
  /** `none`: the file has neither form; then voxel sizes are kept, the axes taken as RAS and the origin as 0. */
  readonly orientation: 'sform' | 'qform' | 'none';
  /** Kind of number: whole numbers; 32-bit reals, which scaled ones are to ITK too; 64-bit reals. `data` may be wider. */
  readonly kind: 'whole' | 'single' | 'double';
  /** Voxels between the corners of sform and qform, where the file has both and they are not the same place. */
  readonly formsApart?: number;
}

interface Header {
  readonly view: DataView;
  readonly little: boolean;
  readonly dims: readonly number[];
  readonly type: number;
  readonly pixdim: readonly number[];
  readonly voxOffset: number;
  readonly slope: number;
  readonly inter: number;
  readonly qform: number;
  readonly sform: number;
  readonly quaternion: readonly number[];
  readonly offset: readonly number[];
  readonly srow: readonly number[];
  /** Millimetres per spatial unit of the header. */
  readonly unit: number;
}

const UNIT_MM: Readonly<Record<number, number>> = { 1: 1000, 2: 1, 3: 0.001 };

function parseHeader(bytes: Uint8Array, shown: string): Header {
  const refuse = (why: string): never => {
    throw new CohortflowError('NotNifti', `${shown} ${why}`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 348) refuse(`has ${bytes.byteLength} bytes, less than a NIfTI header.`);
  const size = view.getInt32(0, true);
  const swapped = view.getInt32(0, false);
  const version = size === 348 || swapped === 348 ? 1 : size === 540 || swapped === 540 ? 2 : 0;
  if (version === 0) refuse('is not a NIfTI file.');
  const little = size === 348 || size === 540;
  const at = version === 1 ? 344 : 4;
  if (version === 2 && bytes.byteLength < 540) refuse('ends within its header.');
  const magic = String.fromCharCode(...bytes.subarray(at, at + 3));
  if (magic === 'ni1' || magic === 'ni2') refuse('is one half of a .hdr/.img pair; join them into one .nii file.');
  if (magic !== 'n+1' && magic !== 'n+2') refuse('is not a NIfTI file (an Analyze header has no orientation).');

  const list = (count: number, read: (index: number) => number): number[] =>
    Array.from({ length: count }, (_, index) => read(index));
  const f32 = (offset: number) => (index: number) => view.getFloat32(offset + 4 * index, little);
  const f64 = (offset: number) => (index: number) => view.getFloat64(offset + 8 * index, little);
  if (version === 1) {
    return {
      view,
      little,
      dims: list(8, (index) => view.getInt16(40 + 2 * index, little)),
      type: view.getInt16(70, little),
      pixdim: list(8, f32(76)),
      voxOffset: view.getFloat32(108, little),
      slope: view.getFloat32(112, little),
      inter: view.getFloat32(116, little),
      qform: view.getInt16(252, little),
      sform: view.getInt16(254, little),
      quaternion: list(3, f32(256)),
      offset: list(3, f32(268)),
      srow: list(12, f32(280)),
      unit: UNIT_MM[view.getUint8(123) & 7] ?? 1,
    };
  }
  return {
    view,
    little,
    dims: list(8, (index) => Number(view.getBigInt64(16 + 8 * index, little))),
    type: view.getInt16(12, little),
    pixdim: list(8, f64(104)),
    voxOffset: Number(view.getBigInt64(168, little)),
    slope: view.getFloat64(176, little),
    inter: view.getFloat64(184, little),
    qform: view.getInt32(344, little),
    sform: view.getInt32(348, little),
    quaternion: list(3, f64(352)),
    offset: list(3, f64(376)),
    srow: list(12, f64(400)),
    unit: UNIT_MM[view.getInt32(500, little) & 7] ?? 1,
  };
}

function affineOfQform({ quaternion, offset, pixdim }: Header): Affine {
  const [b = 0, c = 0, d = 0] = quaternion;
  const a = Math.sqrt(Math.max(0, 1 - b * b - c * c - d * d));
  const qfac = (pixdim[0] ?? 1) < 0 ? -1 : 1;
  const [dx, dy, dz] = [pixdim[1] ?? 0, pixdim[2] ?? 0, (pixdim[3] ?? 0) * qfac];
  return [
    [(a * a + b * b - c * c - d * d) * dx, 2 * (b * c - a * d) * dy, 2 * (b * d + a * c) * dz, offset[0] ?? 0],
    [2 * (b * c + a * d) * dx, (a * a + c * c - b * b - d * d) * dy, 2 * (c * d - a * b) * dz, offset[1] ?? 0],
    [2 * (b * d - a * c) * dx, 2 * (c * d + a * b) * dy, (a * a + d * d - b * b - c * c) * dz, offset[2] ?? 0],
  ];
}

function affineOfSform({ srow }: Header): Affine {
  const row = (at: number): [number, number, number, number] => [
    srow[at] ?? 0,
    srow[at + 1] ?? 0,
    srow[at + 2] ?? 0,
    srow[at + 3] ?? 0,
  ];
  return [row(0), row(4), row(8)];
}

const scaled = (affine: Affine, factor: number): Affine =>
  factor === 1 ? affine : (affine.map((row) => row.map((value) => value * factor)) as unknown as Affine);

/** Voxel sizes of the header where they agree with the matrix: they were rounded once, the matrix' columns thrice. */
function snapSpacing(geometry: Geometry, header: Header): Geometry {
  const spacing = geometry.spacing.map((value, axis) => {
    const stated = Math.abs(header.pixdim[axis + 1] ?? 0) * header.unit;
    return Math.abs(stated - value) <= 1e-5 * value ? stated : value;
  }) as unknown as Vec3;
  return { ...geometry, spacing };
}

function place(header: Header, size: Vec3, shown: string): Omit<NiftiVolume, 'data' | 'kind'> {
  const form = (code: number, affine: Affine): Geometry | undefined =>
    code > 0 ? geometryOfRas(scaled(affine, header.unit), size) : undefined;
  const sform = form(header.sform, affineOfSform(header));
  const qform = form(header.qform, affineOfQform(header));
  // sform first, as nibabel and most tools do; a matrix without volume counts as none.
  if (sform !== undefined) {
    const { differs, worstCornerVoxels: apart } = compareGeometry(sform, qform ?? sform);
    const known = { geometry: snapSpacing(sform, header), orientation: 'sform' } as const;
    return differs.length === 0 ? known : { ...known, formsApart: apart };
  }
  if (qform !== undefined) return { geometry: snapSpacing(qform, header), orientation: 'qform' };
  const [dx, dy, dz] = [1, 2, 3].map((axis) => Math.abs(header.pixdim[axis] ?? 0) * header.unit) as [
    number,
    number,
    number,
  ];
  const geometry = geometryOfRas(
    [
      [dx, 0, 0, 0],
      [0, dy, 0, 0],
      [0, 0, dz, 0],
    ],
    size,
  );
  if (geometry === undefined)
    throw new CohortflowError('NotNifti', `${shown} has no usable orientation or voxel sizes.`);
  return { geometry, orientation: 'none' };
}

/** Reads the stored values of one data type; 8-byte integers and 32-bit unsigned become doubles. */
function readValues({ view, little, type }: Header, offset: number, count: number, shown: string): VoxelArray {
  const fill = <A extends VoxelArray>(out: A, bytes: number, read: (at: number) => number): A => {
    for (let index = 0; index < count; index++) out[index] = read(offset + index * bytes);
    return out;
  };
  // Host and file order agree on every machine in use; a copy of the bytes is then the fastest and aligns them.
  const copy = (bytes: number): ArrayBuffer =>
    view.buffer.slice(view.byteOffset + offset, view.byteOffset + offset + count * bytes) as ArrayBuffer;
  switch (type) {
    case 2:
      return new Uint8Array(copy(1));
    case 4:
      return little ? new Int16Array(copy(2)) : fill(new Int16Array(count), 2, (at) => view.getInt16(at, false));
    case 8:
      return little ? new Int32Array(copy(4)) : fill(new Int32Array(count), 4, (at) => view.getInt32(at, false));
    case 16:
      return little ? new Float32Array(copy(4)) : fill(new Float32Array(count), 4, (at) => view.getFloat32(at, false));
    case 64:
      return little ? new Float64Array(copy(8)) : fill(new Float64Array(count), 8, (at) => view.getFloat64(at, false));
    case 256:
      return fill(new Int16Array(count), 1, (at) => view.getInt8(at));
    case 512:
      return little ? new Uint16Array(copy(2)) : fill(new Uint16Array(count), 2, (at) => view.getUint16(at, false));
    case 768:
      return fill(new Float64Array(count), 4, (at) => view.getUint32(at, little));
    case 1024:
      return fill(new Float64Array(count), 8, (at) => Number(view.getBigInt64(at, little)));
    case 1280:
      return fill(new Float64Array(count), 8, (at) => Number(view.getBigUint64(at, little)));
    default:
      throw new CohortflowError(
        'NotNifti',
        `${shown} has voxels of data type ${type}; whole and real numbers can be read.`,
      );
  }
}

const BYTES: Readonly<Record<number, number>> = { 256: 1, 768: 4, 1024: 8, 1280: 8 };

/**
 * Reads an uncompressed NIfTI-1 or NIfTI-2 single file, either byte order, any integer or real data type, with scl_slope
 * and scl_inter applied (then in double precision). Array order is the file's. Place: sform, else qform, else voxel sizes.
 *
 * @param shown the file's name for messages
 *
 * Throws `NotNifti` saying what is wrong: not NIfTI, one half of a pair, several volumes, truncated, colour, hostile sizes.
 */
export function readNifti(bytes: Uint8Array, shown: string): NiftiVolume {
  const header = parseHeader(bytes, shown);
  const rank = header.dims[0] ?? 0;
  const size = [1, 2, 3].map((axis) => (axis <= rank ? (header.dims[axis] ?? 0) : 1)) as unknown as Vec3;
  const further = header.dims.slice(4, rank + 1);
  if (rank < 2 || rank > 7 || size.some((length) => !Number.isInteger(length) || length < 1)) {
    throw new CohortflowError(
      'NotNifti',
      `${shown} says that it has ${rank} dimensions of ${header.dims.slice(1, 4).join(' × ')} voxels.`,
    );
  }
  if (further.some((length) => length > 1)) {
    throw new CohortflowError(
      'NotNifti',
      `${shown} holds several volumes (${header.dims.slice(1, rank + 1).join(' × ')}); one is needed.`,
    );
  }
  const width = BYTES[header.type] ?? Object.values(NIFTI_TYPES).find(({ code }) => code === header.type)?.bytes;
  const count = size[0] * size[1] * size[2];
  const offset = header.voxOffset >= 348 ? Math.trunc(header.voxOffset) : VOXEL_OFFSET;
  if (width !== undefined && offset + count * width > bytes.byteLength) {
    throw new CohortflowError(
      'NotNifti',
      `${shown} is truncated: ${Math.max(0, bytes.byteLength - offset)} of ${count * width} bytes of voxels are there. Fetch it again.`,
    );
  }
  const stored = readValues(header, offset, count, shown);
  const placed = place(header, size, shown);
  const { slope, inter } = header;
  // A slope of 0 (or none at all) means that values are stored as they are.
  const plain = !Number.isFinite(slope) || slope === 0 || !Number.isFinite(inter) || (slope === 1 && inter === 0);
  const kind = header.type === 64 ? 'double' : header.type === 16 || !plain ? 'single' : 'whole';
  if (plain) return { ...placed, data: stored, kind };
  return { ...placed, data: Float64Array.from(stored, (value) => value * slope + inter), kind };
}
