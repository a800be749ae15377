import type { Binning } from '../discretise.js';
import type { TextureSettings } from '../family.js';

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
  readonly binning: Binning;
  readonly texture: TextureSettings;
  /** LoG: standard deviations in mm, and how they are written in the features' names. */
  readonly sigma?: readonly number[];
  readonly sigmaTexts?: readonly string[];
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
  /** Grey values over the box, i fastest; absent where the image is too small for the filter. */
  readonly values?: Float64Array;
}
