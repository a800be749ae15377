import type { FamilyName } from './registry.js';
import type { ImageTypeRequest } from './filters/image-type.js';

/** A request for features, complete: what a pyradiomics parameter document says, with its defaults. */
export interface RadiomicsSettings {
  /** Filtered images in order, each with its binning and texture settings. */
  readonly imageTypes: readonly ImageTypeRequest[];
  /** Features to compute by family; a family that is absent is not computed. */
  readonly features: Readonly<Partial<Record<FamilyName, readonly string[]>>>;
  /** Voxel axis across the planes when features are 2D (`force2D`); undefined in 3D. */
  readonly flatAxis?: number;
  readonly minimumDimensions: number;
  readonly minimumSize?: number;
  readonly normalise?: { readonly scale: number; readonly outliers?: number };
  readonly resegment?: {
    readonly range: readonly [number] | readonly [number, number];
    readonly mode: 'absolute' | 'relative' | 'sigma';
    readonly shape: boolean;
  };
  readonly resample?: {
    /** mm along i, j, k; 0 keeps the axis. */
    readonly spacing: readonly [number, number, number];
    readonly interpolator: 'sitkBSpline' | 'sitkLinear' | 'sitkNearestNeighbor';
  };
  /** Voxels of context around the region when the image is cut before filtering (`preCrop`) or resampled. */
  readonly padDistance: number;
  readonly preCrop: boolean;
}
