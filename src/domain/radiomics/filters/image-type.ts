import type { Binning } from '../discretise.js';
import type { Volume } from '../../geometry/volume.js';

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

/** A filtered image and the first part of its features' names. */
export interface FilteredImage {
  readonly prefix: string;
  readonly image: Volume;
}
