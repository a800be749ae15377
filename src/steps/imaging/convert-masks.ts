import { CohortflowError } from '../../domain/errors.js';
import type { Frame } from '../../domain/dicom/frame.js';
import type { Instance } from '../../domain/dicom/instance.js';
import { contoursOf, roisOf, tumourRois, type Roi } from '../../domain/dicom/masks/structure-set.js';
import { rasteriseContours } from '../../domain/dicom/masks/contours.js';
import { isOffSlice, placePlane, type MaskPlane } from '../../domain/dicom/masks/place-frame.js';
import {
  isEmpty,
  membership,
  segmentationOf,
  type Segment,
  type SegmentationFrame,
  type SegmentationObject,
} from '../../domain/dicom/masks/segmentation.js';
import { listNames, matchNames } from '../../domain/dicom/name-match.js';
import { isSource } from '../../domain/dicom/references.js';
import type { StoredSamples } from '../../domain/dicom/pixels/samples.js';
import type { SegmentationSource } from '../../domain/dicom/select.js';
import type { Warning } from '../../domain/dicom/warning.js';
import type { Geometry } from '../../domain/geometry/volume.js';
import type { PixelReader } from './read-pixels.js';

/** What became of one region, for conversion.json. */
export interface RegionReport {
  readonly name: string;
  readonly number: number;
  /** Set pixels in the segmentation's frames (of contours: voxels), and voxels of the mask. */
  readonly voxelsIn: number;
  readonly voxelsOut: number;
  /** Frames or contours used. */
  readonly parts: number;
  /** Slice indices (k) that hold voxels. */
  readonly slices: readonly number[];
  /** True when the nearest pixel was taken because grids did not coincide. */
  readonly resampled: boolean;
}

/** One region that can be rasterised onto the image grid, when it is its turn. */
export interface Region {
  readonly name: string;
  /** Sets the region's voxels in a zeroed mask. */
  draw(mask: Uint8Array): Promise<{ readonly report: RegionReport; readonly warnings: readonly Warning[] }>;
}

/** Set voxels of the slices that were drawn on, and those of the slices that hold any, in order. */
function tally(
  mask: Uint8Array,
  [columns, rows]: Geometry['size'],
  touched: Iterable<number>,
): { voxels: number; slices: number[] } {
  let voxels = 0;
  const slices: number[] = [];
  for (const k of [...new Set(touched)].sort((a, b) => a - b)) {
    const before = voxels;
    for (let at = k * columns * rows; at < (k + 1) * columns * rows; at++) voxels += mask[at]!;
    if (voxels > before) slices.push(k);
  }
  return { voxels, slices };
}

/** Chooses among named regions: by request, else all. Throws `RoiNotFound` with the names. */
function requested<R extends { readonly name: string }>(regions: readonly R[], roi: string | undefined): readonly R[] {
  if (roi === undefined) return regions;
  const names = regions.map(({ name }) => name);
  const found = matchNames(names, roi);
  if (found.length === 0) {
    throw new CohortflowError('RoiNotFound', `no region matches "${roi}"; there are: ${listNames(names)}.`, {
      regions: names.slice(0, 50),
    });
  }
  return found.map((at) => regions[at]!);
}

/** Draws the segments of one segmentation object. Label maps are decoded once for all segments. */
class SegmentDrawer {
  private readonly object: SegmentationObject;
  private readonly decoded = new Map<number, Promise<StoredSamples>>();
  private checked = false;

  constructor(
    instance: Instance,
    private readonly grid: Geometry,
    private readonly images: readonly Frame[],
    private readonly reader: PixelReader,
  ) {
    this.object = segmentationOf(instance);
  }

  regions(): Region[] {
    return this.object.segments.map((segment) => ({ name: segment.label, draw: (mask) => this.draw(segment, mask) }));
  }

  private samples(index: number): Promise<StoredSamples> {
    const { instance, type } = this.object;
    if (type !== 'LABELMAP') return this.reader.samples(instance, index);
    const known = this.decoded.get(index) ?? this.reader.samples(instance, index);
    this.decoded.set(index, known);
    return known;
  }

  /** Pixel values of a label map that belong to no listed segment; once, after all frames were decoded for the first one. */
  private async takeUnlisted(): Promise<number[]> {
    const { type, segments, instance } = this.object;
    if (type !== 'LABELMAP' || this.checked) return [];
    this.checked = true;
    const known = new Set([0, instance.dataset.number('00280120'), ...segments.map(({ number }) => number)]);
    const found = new Set<number>();
    for (const frame of this.decoded.values()) for (const value of await frame) if (!known.has(value)) found.add(value);
    return [...found].sort((a, b) => a - b);
  }

  /** Where a frame lies: its own position, else that of the image it was drawn on. */
  private plane(frame: SegmentationFrame): MaskPlane {
    const { instance } = this.object;
    const position =
      frame.position ??
      this.images.find(({ instance: image, index }) =>
        frame.sources.some(
          (source) =>
            // A multi-frame image lies in many places: which one has to be said.
            (image.format.frames === 1 || source.frames.length > 0) && isSource(source, image.sopInstanceUid, index),
        ),
      )?.position;
    if (position === undefined) {
      throw new CohortflowError(
        'NoGeometry',
        `${instance.shown}: frame ${frame.index + 1} of the segmentation has no position and names no image.`,
      );
    }
    return { ...frame, position, columns: instance.format.columns, rows: instance.format.rows };
  }

  private async draw(segment: Segment, mask: Uint8Array): Promise<{ report: RegionReport; warnings: Warning[] }> {
    const { object, grid } = this;
    const { shown, format } = object.instance;
    const warnings: Warning[] = [];
    let [voxelsIn, parts, off, unplaced] = [0, 0, 0, 0];
    let [resampled, fractions] = [false, false];
    const touched = new Set<number>();
    for (const frame of object.frames) {
      if (object.type !== 'LABELMAP' && frame.segment !== segment.number) continue;
      const samples = await this.samples(frame.index);
      if (object.type === 'BINARY' && format.bitsAllocated === 8 && new Set(samples).size > 2) {
        throw new CohortflowError(
          'SegNotReadable',
          `${shown}: pixels of a BINARY segmentation hold more than two values (segments packed into bits?).`,
        );
      }
      fractions ||= samples.some((value) => value !== 0);
      const pixels = membership(object, samples, segment.number);
      // An empty frame needs no place: writers put them anywhere.
      const placed = !isEmpty(pixels)
        ? placePlane(
            grid,
            this.plane(frame),
            pixels,
            mask,
            `${shown}: frame ${frame.index + 1} of segment "${segment.label}"`,
          )
        : undefined;
      if (placed === undefined) continue;
      if (frame.position === undefined) unplaced++;
      parts++;
      touched.add(placed.k);
      voxelsIn += placed.inside;
      resampled ||= placed.resampled;
      if (isOffSlice(placed)) off++;
    }
    const warn = (code: string, message: string): void => void warnings.push({ code, message });
    if (off > 0)
      warn(
        'FramesOffSlice',
        `${off} frame(s) of segment "${segment.label}" lie more than a tenth of the spacing from their slice.`,
      );
    if (unplaced > 0)
      warn(
        'FramesWithoutPosition',
        `${unplaced} frame(s) of segment "${segment.label}" have no position; that of their source image was taken.`,
      );
    if (resampled)
      warn(
        'SegmentResampled',
        `The pixels of segment "${segment.label}" do not coincide with the image's; the nearest was taken.`,
      );
    const unlisted = await this.takeUnlisted();
    if (unlisted.length > 0)
      warn(
        'UnlistedLabels',
        `Pixels of the label map hold ${unlisted.slice(0, 10).join(', ')}, which it does not list as segment(s); they were left out.`,
      );
    if (object.type === 'FRACTIONAL' && parts === 0 && fractions)
      warn('FractionsBelowHalf', `No fraction of segment "${segment.label}" reaches half of the maximum.`);
    const { voxels: voxelsOut, slices } = tally(mask, grid.size, touched);
    if (!resampled && voxelsOut < voxelsIn) {
      warn(
        'RepeatedFrames',
        `${voxelsIn - voxelsOut} voxel(s) of segment "${segment.label}" are given by more than one frame.`,
      );
    }
    return {
      report: { name: segment.label, number: segment.number, voxelsIn, voxelsOut, parts, slices, resampled },
      warnings,
    };
  }
}

function drawContours(
  instance: Instance,
  roi: Roi,
  grid: Geometry,
  mask: Uint8Array,
): { report: RegionReport; warnings: Warning[] } {
  const result = rasteriseContours(grid, contoursOf(instance, roi), mask);
  const warnings: Warning[] = [];
  const warn = (code: string, message: string): void => void warnings.push({ code, message });
  const name = `"${roi.name}"`;
  if (result.tilted > 0 && result.used === 0) {
    throw new CohortflowError(
      'FrameOffGrid',
      `${instance.shown}: the contours of ${name} do not lie in the planes of the slices.`,
      { tilted: result.tilted },
    );
  }
  if (result.outside > 0 && result.used === 0) {
    throw new CohortflowError(
      'FrameOffGrid',
      `${instance.shown}: all contours of ${name} lie above or below the image.`,
      { outside: result.outside },
    );
  }
  const { voxels, slices } = tally(mask, grid.size, result.slices);
  if (result.clipped > 0 && result.clipped === result.used && voxels === 0) {
    throw new CohortflowError('FrameOffGrid', `${instance.shown}: all contours of ${name} lie beside the image.`, {
      beside: result.clipped,
    });
  }
  if (result.open > 0)
    warn('OpenContours', `${result.open} point(s) or open line(s) of ${name} enclose nothing and were left out.`);
  if (result.tilted > 0)
    warn('TiltedContours', `${result.tilted} contour(s) of ${name} do not lie in a slice and were left out.`);
  if (result.outside > 0)
    warn('ContoursOutside', `${result.outside} contour(s) of ${name} lie above or below the image and were left out.`);
  if (result.offSlice > 0)
    warn(
      'ContoursOffSlice',
      `${result.offSlice} contour(s) of ${name} lie more than a tenth of the spacing from their slice.`,
    );
  if (result.between > 0)
    warn(
      'ContoursBetweenSlices',
      `${result.between} contour(s) of ${name} lie between the slices of the image; the nearest to each slice were taken.`,
    );
  if (result.repeated > 0)
    warn('RepeatedContours', `${result.repeated} contour(s) of ${name} repeat another one and were left out.`);
  if (result.clipped > 0)
    warn(
      'ContoursClipped',
      `${result.clipped} contour(s) of ${name} reach beyond the edge of the image; what lies beside it was left out.`,
    );
  return {
    report: {
      name: roi.name,
      number: roi.number,
      voxelsIn: voxels,
      voxelsOut: voxels,
      parts: result.used,
      slices,
      resampled: false,
    },
    warnings,
  };
}

/**
 * The regions of a segmentation that make the region of interest: those that `roi` names; else every segment of a SEG, or
 * the tumour regions of an RTSTRUCT.
 *
 * Throws `RoiNotFound`, `RoiAmbiguous`, `SegNotReadable`, `NoGeometry`; drawing throws `FrameOffGrid` and what reading
 * pixels throws.
 */
export function regionsOf(
  source: SegmentationSource,
  roi: string | undefined,
  grid: Geometry,
  images: readonly Frame[],
  reader: PixelReader,
): readonly Region[] {
  const { instance } = source;
  if (source.kind === 'SEG') {
    const regions = new SegmentDrawer(instance, grid, images, reader).regions();
    if (regions.length === 0)
      throw new CohortflowError('EmptyMask', `${instance.shown}: the segmentation lists no segment.`);
    return requested(regions, roi);
  }
  const rois = roisOf(instance.dataset);
  const chosen = roi === undefined ? tumourRois(rois, instance.shown) : requested(rois, roi);
  return chosen.map((one) => ({
    name: one.name,
    draw: (mask) => Promise.resolve(drawContours(instance, one, grid, mask)),
  }));
}
