import type { Binning } from '../discretise.js';

/** Filtered images that can be asked for, by pyradiomics' names. */
export const IMAGE_TYPES = [
  'Original',
  'LoG',
  'Wavelet',
  'Square',
  'SquareRoot',
  'Logarithm',
  'Exponential',
  'Gradient',
] as const;

export type ImageTypeName = (typeof IMAGE_TYPES)[number];

/** One image type with its options, as the parameter document gives them. */
export interface ImageTypeRequest {
  readonly name: ImageTypeName;
  /** Overrides the document's binning for this image type. */
  readonly binning?: Binning;
  /** LoG: standard deviations in mm. */
  readonly sigma?: readonly number[];
  /** Wavelet: name of the wavelet and levels. */
  readonly wavelet?: string;
  readonly level?: number;
  readonly startLevel?: number;
  /** Gradient: derivatives per mm rather than per voxel. */
  readonly useSpacing?: boolean;
}

/** A filtered image inside a box, and the first part of its features' names. */
export interface FilteredRegion {
  readonly prefix: string;
  /** Grey values over the box, i fastest. */
  readonly values: Float64Array;
}
