/**
 * How far data may lie from a regular grid. Named once, used everywhere; the reasons are in the comments.
 */

/** Direction cosines of one series may differ by this much per component (rounding of decimal strings). */
export const ORIENTATION_TOLERANCE = 1e-3;

/** Direction vectors may deviate from length 1 and from a right angle by this much. */
export const ORTHONORMAL_TOLERANCE = 1e-2;

/** In-plane spacings within one series may differ by this fraction. */
export const SPACING_RELATIVE_TOLERANCE = 1e-4;

/** Two slices closer than this along the normal lie at the same position, mm. */
export const SAME_POSITION_MM = 0.01;

/** Deviation of a slice gap that needs no word: the larger of this many mm … */
export const GAP_SILENT_MM = 0.01;
/** … and this fraction of the spacing. */
export const GAP_SILENT_FRACTION = 0.01;
/** Up to this fraction of the spacing a gap's deviation is a warning; beyond, the series is refused. */
export const GAP_WARN_FRACTION = 0.04;
/** A slice may lie this fraction of the spacing from where the regular grid puts it (gaps may drift); beyond, refused. */
export const DRIFT_FRACTION = 0.1;

/** The stack may lean sideways by this many pixels from the first to the last slice before it counts as tilted. */
export const TILT_PIXELS = 0.25;

/** A segmentation frame may lie this fraction of the slice spacing from its slice without a word … */
export const FRAME_SILENT_FRACTION = 0.1;
/** … and this fraction with a warning; beyond, it is on no slice. */
export const FRAME_WARN_FRACTION = 0.25;

/** In-plane offset of segmentation pixels from image pixels that counts as none, in pixels. */
export const IN_PLANE_OFFSET_PIXELS = 0.05;

/** An image and a mask lie on the same grid when no corner of one is further than this many voxels from the other's. */
export const SAME_GRID_VOXELS = 0.05;
