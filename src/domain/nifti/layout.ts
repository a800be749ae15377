import type { VoxelArray } from '../geometry/volume.js';

/** NIfTI-1 data type codes of the arrays the product writes. */
export type NiftiType = 'uint8' | 'int16' | 'uint16' | 'int32' | 'float32' | 'float64';

export interface TypeInfo {
  readonly code: number;
  readonly bytes: number;
}

export const NIFTI_TYPES: Readonly<Record<NiftiType, TypeInfo>> = {
  uint8: { code: 2, bytes: 1 },
  int16: { code: 4, bytes: 2 },
  int32: { code: 8, bytes: 4 },
  float32: { code: 16, bytes: 4 },
  float64: { code: 64, bytes: 8 },
  uint16: { code: 512, bytes: 2 },
};

/** Bytes before the voxels of a NIfTI-1 single file: the header and an empty extension flag. */
export const VOXEL_OFFSET = 352;

/** The data type that holds an array as it is. */
export function niftiTypeOf(data: VoxelArray): NiftiType {
  if (data instanceof Uint8Array) return 'uint8';
  if (data instanceof Int16Array) return 'int16';
  if (data instanceof Uint16Array) return 'uint16';
  if (data instanceof Int32Array) return 'int32';
  return data instanceof Float32Array ? 'float32' : 'float64';
}
