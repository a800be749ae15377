import { CohortflowError } from '../errors.js';
import { compareGeometry } from '../geometry/compare.js';
import type { Volume } from '../geometry/volume.js';
import { discretise } from './discretise.js';
import { NULL_REASONS, type FamilyInput, type NullReason } from './family.js';
import type { ImageTypeRequest } from './filters/image-type.js';
import { filteredRegions } from './filters/index.js';
import { FAMILIES, type Family } from './registry.js';
import { boundingBox, checkRoi, cropToBox, valuesInside, type Box, type Roi } from './roi.js';
import type { RadiomicsSettings } from './settings.js';
import { shapeFeatures } from './shape-features.js';
import { largestPlane, shape2dFeatures } from './shape2d-features.js';
import { cutAround, normalised, resegmented } from './preprocess.js';
import { keepsSpacing, resample, type Resampled } from './resample.js';

/** Features by full name (`original_glcm_Contrast`); a null has its reason. */
export interface RadiomicsResult {
  readonly features: Readonly<Record<string, number | null>>;
  readonly nullReasons: Readonly<Record<string, { readonly code: NullReason; readonly text: string }>>;
  /** Voxels of the region that the features were measured in. */
  readonly roiVoxels: number;
}

export interface ComputeOptions {
  readonly signal?: AbortSignal;
  readonly progress?: (message: string) => void;
}

/** Collects values under their full names; what is not a finite number becomes null with a reason. */
class Collector {
  readonly features: Record<string, number | null> = {};
  readonly nullReasons: Record<string, { code: NullReason; text: string }> = {};

  add(
    prefix: string,
    family: Family,
    wanted: readonly string[],
    values: Readonly<Record<string, number>>,
    reason: NullReason,
  ): void {
    for (const name of family.features) {
      if (!wanted.includes(name)) continue;
      const full = `${prefix}_${family.name}_${name}`;
      const value = values[name] ?? NaN;
      this.features[full] = Number.isFinite(value) ? value : null;
      if (!Number.isFinite(value)) this.nullReasons[full] = { code: reason, text: NULL_REASONS[reason] };
    }
  }
}

function boxOf(mask: Uint8Array, image: Volume, after = ''): Box {
  const box = boundingBox(mask, image.geometry.size);
  if (box === undefined) throw new CohortflowError('EmptyMask', `the mask has no voxel${after}`);
  return box;
}

function addShapes(collector: Collector, roi: Roi, settings: RadiomicsSettings): void {
  for (const family of FAMILIES) {
    const wanted = settings.features[family.name];
    if (wanted === undefined || family.ofImage !== undefined) continue;
    if (family.name === 'shape') collector.add('original', family, wanted, shapeFeatures(roi), 'EmptyMesh');
    else {
      const flatAxis = settings.flatAxis ?? 2;
      const plane = largestPlane(roi, flatAxis);
      // Two rows of voxels at least: an outline of one pixel or line has no second axis.
      collector.add('original', family, wanted, shape2dFeatures(plane, flatAxis), 'NotFinite');
    }
  }
}

/** Every feature of an image as null, for one reason. */
function addNulls(
  collector: Collector,
  prefix: string,
  features: RadiomicsSettings['features'],
  reason: NullReason,
): void {
  for (const family of FAMILIES) {
    if (family.ofImage !== undefined) collector.add(prefix, family, features[family.name] ?? [], {}, reason);
  }
}

function addTextures(
  collector: Collector,
  prefix: string,
  roi: Roi,
  { binning, texture }: ImageTypeRequest,
  features: RadiomicsSettings['features'],
  signal: AbortSignal | undefined,
): void {
  if (!valuesInside(roi).every(Number.isFinite)) {
    addNulls(collector, prefix, features, 'NotANumber');
    return;
  }
  const levels = discretise(roi, binning);
  const input: FamilyInput = { roi, levels, settings: texture };
  const reason: NullReason = levels.present.length === 1 ? 'FlatRegion' : 'NoNeighbours';
  for (const family of FAMILIES) {
    const wanted = features[family.name];
    if (wanted === undefined || family.ofImage === undefined) continue;
    signal?.throwIfAborted();
    collector.add(prefix, family, wanted, family.ofImage(input), reason);
  }
}

/** Normalises, resamples or cuts the image as the settings ask, in pyradiomics' order; the mask becomes 0 and 1. */
function prepare(image: Volume, mask: Volume, settings: RadiomicsSettings): Resampled {
  const drawn = Uint8Array.from(mask.data, (value) => (value === 0 ? 0 : 1));
  const box = boxOf(drawn, image);
  const normal = settings.normalise === undefined ? image : normalised(image, settings.normalise);
  const { resample: request, padDistance, preCrop } = settings;
  if (request !== undefined && !keepsSpacing(image.geometry, box, request)) {
    return resample(normal, drawn, box, request, padDistance);
  }
  return request !== undefined || preCrop ? cutAround(normal, drawn, box, padDistance) : { image: normal, mask: drawn };
}

/**
 * Measures one region. `image` and `mask` share a grid (voxel frame, NIfTI order); the region is where the mask is not
 * zero. Numbers agree with pyradiomics 3.0.1 given the same arrays and parameters.
 *
 * @throws CohortflowError `GeometryMismatch`, `EmptyMask`, `RoiTooSmall`, `TooManyGrayLevels`
 */
export function computeRadiomics(
  image: Volume,
  mask: Volume,
  settings: RadiomicsSettings,
  options: ComputeOptions = {},
): RadiomicsResult {
  const { differs, explanation } = compareGeometry(image.geometry, mask.geometry);
  if (differs.length > 0) throw new CohortflowError('GeometryMismatch', `image and mask differ in ${explanation}`);
  const collector = new Collector();
  const { image: prepared, mask: drawn } = prepare(image, mask, settings);
  const { resample: request, resegment } = settings;
  const spacing = request?.spacing.join(' × ');
  const whole = cropToBox(
    prepared,
    drawn,
    boxOf(drawn, prepared, spacing && ` left after resampling to ${spacing} mm (setting.resampledPixelSpacing)`),
  );
  checkRoi(whole, settings.minimumDimensions, settings.minimumSize);
  const inRange = resegment === undefined ? drawn : resegmented(prepared, drawn, resegment);
  const box = boxOf(inRange, prepared, ' with a grey value in setting.resegmentRange');
  const region = resegment === undefined ? whole : cropToBox(prepared, inRange, box);
  if (resegment !== undefined) checkRoi(region, settings.minimumDimensions, settings.minimumSize);

  options.progress?.('shape');
  // pyradiomics 3.0.1 cuts the mask as drawn to the box of the resegmented one before it measures the shape.
  const outline = resegment === undefined || resegment.shape ? region : cropToBox(prepared, drawn, box);
  addShapes(collector, outline, settings);
  for (const request of settings.imageTypes) {
    for (const { prefix, values } of filteredRegions(prepared, request, box, settings.flatAxis)) {
      options.signal?.throwIfAborted();
      options.progress?.(`features of the ${prefix} image`);
      if (values === undefined) {
        addNulls(collector, prefix, settings.features, 'ImageTooSmall');
        continue;
      }
      const roi: Roi = { ...region, values };
      addTextures(collector, prefix, roi, request, settings.features, options.signal);
    }
  }
  const { features, nullReasons } = collector;
  return { features, nullReasons, roiVoxels: region.count };
}
