import { CohortflowError } from '../../errors.js';
import type { Vec3 } from '../../geometry/volume.js';
import type { Dataset } from '../dataset.js';
import { orientationOf, spacingOf } from '../frame.js';
import { checkPixelFormat, type Instance } from '../instance.js';
import { derivationSources, type SourceImage } from '../references.js';
import { SOP_CLASS } from '../uids.js';

/** One segment of a segmentation object. */
export interface Segment {
  readonly number: number;
  /** SegmentLabel, or `Segment <number>` where it is empty. */
  readonly label: string;
}

/** One frame of a segmentation object. */
export interface SegmentationFrame {
  readonly index: number;
  /** Segment number; 0 for the frames of a label map, whose pixels are the numbers. */
  readonly segment: number;
  /** LPS centre of the first pixel; undefined when the frame names none (then `sources` have to place it). */
  readonly position: Vec3 | undefined;
  readonly rowDirection: Vec3;
  readonly columnDirection: Vec3;
  readonly rowSpacing: number;
  readonly columnSpacing: number;
  /** The images the frame was drawn on. */
  readonly sources: readonly SourceImage[];
}

/** A segmentation object by what a mask needs. */
export interface SegmentationObject {
  readonly instance: Instance;
  readonly type: 'BINARY' | 'FRACTIONAL' | 'LABELMAP';
  /** Pixel value that means 1.0; of FRACTIONAL objects. */
  readonly maximum: number;
  readonly segments: readonly Segment[];
  readonly frames: readonly SegmentationFrame[];
}

/** The segments an object lists; 0, which label maps use for the background, is not one. */
export function segmentsOf(dataset: Dataset): Segment[] {
  return dataset.items('00620002').flatMap((item) => {
    const number = item.number('00620004');
    if (number === undefined || number === 0) return [];
    return [{ number, label: item.text('00620005') ?? `Segment ${number}` }];
  });
}

function typeOf(instance: Instance): SegmentationObject['type'] {
  const declared = instance.dataset.text('00620001')?.toUpperCase();
  if (declared === 'BINARY' || declared === 'FRACTIONAL' || declared === 'LABELMAP') return declared;
  if (declared === undefined && instance.sopClassUid === SOP_CLASS.labelmapSegmentation) return 'LABELMAP';
  if (declared === undefined && instance.format.bitsAllocated === 1) return 'BINARY';
  throw new CohortflowError(
    'SegNotReadable',
    `${instance.shown}: SegmentationType is ${declared ?? 'missing'}; BINARY, FRACTIONAL and LABELMAP can be read.`,
  );
}

/**
 * Reads a segmentation object's description. Functional groups are looked up in the frame's own group, then in the shared
 * one: objects of the first 3D Slicer writer (as in NSCLC Radiogenomics) have the segment number in the shared group only.
 *
 * Throws `SegNotReadable`, `NoGeometry` (orientation or spacing missing), `DamagedDicom` (other groups than frames).
 */
export function segmentationOf(instance: Instance): SegmentationObject {
  const { dataset, shown, format } = instance;
  checkPixelFormat(instance);
  const type = typeOf(instance);
  if (type === 'BINARY' && format.bitsAllocated !== 1 && format.bitsAllocated !== 8) {
    throw new CohortflowError(
      'SegNotReadable',
      `${shown}: a BINARY segmentation with ${format.bitsAllocated} bits a pixel.`,
    );
  }
  const segments = segmentsOf(dataset);
  const shared = dataset.item('52009229');
  const perFrame = dataset.items('52009230');
  if (perFrame.length > 0 && perFrame.length !== format.frames) {
    throw new CohortflowError(
      'DamagedDicom',
      `${shown}: ${format.frames} frames but geometry for ${perFrame.length}. Export the segmentation again.`,
    );
  }
  const frames = Array.from({ length: format.frames }, (_, index): SegmentationFrame => {
    const own = perFrame[index];
    const numbers = (group: string, tag: string): number[] | undefined =>
      own?.item(group)?.numbers(tag) ?? shared?.item(group)?.numbers(tag) ?? dataset.numbers(tag);
    const segment = own?.item('0062000A')?.number('0062000B') ?? shared?.item('0062000A')?.number('0062000B');
    const only = segments.length === 1 ? segments[0]?.number : undefined;
    const number = type === 'LABELMAP' ? 0 : (segment ?? only);
    if (number === undefined) {
      throw new CohortflowError(
        'SegNotReadable',
        `${shown}: frame ${index + 1} does not say which of ${segments.length} segments it belongs to.`,
      );
    }
    const directions = orientationOf(numbers('00209116', '00200037'));
    const spacing = spacingOf(numbers('00289110', '00280030'));
    if (directions === undefined || spacing === undefined) {
      const what = directions === undefined ? 'ImageOrientationPatient' : 'PixelSpacing';
      throw new CohortflowError('NoGeometry', `${shown}: ${what} of the segmentation is missing or not usable.`, {
        attribute: what,
      });
    }
    const position = numbers('00209113', '00200032');
    return {
      index,
      segment: number,
      position: position?.length === 3 ? [position[0]!, position[1]!, position[2]!] : undefined,
      rowDirection: directions[0],
      columnDirection: directions[1],
      rowSpacing: spacing[0],
      columnSpacing: spacing[1],
      sources: derivationSources(own),
    };
  });
  const listed = new Set(segments.map(({ number }) => number));
  const unlisted = [...new Set(frames.map(({ segment }) => segment))].filter(
    (number) => number !== 0 && !listed.has(number),
  );
  return {
    instance,
    type,
    maximum: dataset.number('0062000E') ?? (format.bitsAllocated === 8 ? 255 : 1),
    segments: [...segments, ...unlisted.map((number) => ({ number, label: `Segment ${number}` }))],
    frames,
  };
}

/**
 * Pixels of one decoded frame that belong to the segment (1) or not (0). FRACTIONAL: at least half of the maximum.
 *
 * @param samples one value per pixel: 0/1, fractions, or segment numbers, after the object's type
 * @param segment the segment number; needed for label maps
 */
export function membership(object: SegmentationObject, samples: ArrayLike<number>, segment: number): Uint8Array {
  // One-bit objects are 0 and 1 already.
  if (object.type === 'BINARY' && object.instance.format.bitsAllocated === 1 && samples instanceof Uint8Array)
    return samples;
  const out = new Uint8Array(samples.length);
  const threshold = object.type === 'FRACTIONAL' ? object.maximum / 2 : 0;
  for (let at = 0; at < samples.length; at++) {
    const value = samples[at]!;
    const inside =
      object.type === 'LABELMAP'
        ? value === segment
        : object.type === 'FRACTIONAL'
          ? value >= threshold && value > 0
          : value !== 0;
    if (inside) out[at] = 1;
  }
  return out;
}

/** True when no pixel is set; looks at four at a time, since most frames of a whole segmentation are empty. */
export function isEmpty(pixels: Uint8Array): boolean {
  const words = pixels.byteOffset % 4 === 0 ? pixels.byteLength >>> 2 : 0;
  const view = new Uint32Array(pixels.buffer, pixels.byteOffset - (pixels.byteOffset % 4), words);
  for (let at = 0; at < words; at++) if (view[at] !== 0) return false;
  for (let at = 4 * words; at < pixels.length; at++) if (pixels[at] !== 0) return false;
  return true;
}
