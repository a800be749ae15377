/** Three numbers: a point or a size, in the frame that the field's comment names. */
export type Vec3 = readonly [number, number, number];

/**
 * Where a regular grid of voxels lies in the patient.
 *
 * Voxel index (i, j, k) = (column, row, slice along the normal). World frame: DICOM's LPS, millimetres.
 * World point of a voxel centre = `origin` + i·spacing[0]·directions[0] + j·spacing[1]·directions[1] + k·spacing[2]·directions[2].
 */
export interface Geometry {
  /** Number of voxels along i, j, k. */
  readonly size: Vec3;
  /** Distance between voxel centres along i, j, k, in mm; all positive. */
  readonly spacing: Vec3;
  /** LPS position of the centre of voxel (0, 0, 0), in mm. */
  readonly origin: Vec3;
  /** Unit vectors (LPS) of the i, j and k axes. */
  readonly directions: readonly [Vec3, Vec3, Vec3];
}

export type VoxelArray = Uint8Array | Int16Array | Uint16Array | Int32Array | Float32Array | Float64Array;

/** A grid with a value per voxel: `data[i + size[0] * (j + size[1] * k)]`, the order of DICOM rows and of NIfTI. */
export interface Volume<A extends VoxelArray = VoxelArray> {
  readonly geometry: Geometry;
  readonly data: A;
}
