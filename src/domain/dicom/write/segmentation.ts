import { SOP_CLASS } from '../uids.js';
import type { Geometry, Vec3 } from '../../geometry/volume.js';
import type { ElementMap } from '../dcmjs.js';
import { ds, el, part10, pixels, sq, type DicomFile } from './elements.js';
import { studyElements, type SeriesReference } from './study.js';
import { uidOf } from './uid.js';

/** One segment: its label and a mask over the whole grid of the CT (0 or not 0, `i` fastest). */
export interface SegmentSpec {
  readonly label: string;
  readonly mask: Uint8Array;
}

/** What {@link segmentation} needs to know. */
export interface SegmentationSpec {
  /** The CT it segments. */
  readonly of: SeriesReference;
  /** The CT's geometry; the masks are over this grid. */
  readonly geometry: Geometry;
  readonly segments: readonly SegmentSpec[];
  /**
   * How frames are written: `whole`: a frame for every slice of every segment; `sparse`: only the slices where the
   * segment has voxels; `cropped`: sparse, and rows and columns cut to the box of all segments. Default `whole`.
   */
  readonly frames?: 'whole' | 'sparse' | 'cropped';
  readonly seriesNumber?: number;
  readonly seriesDescription?: string;
  /** Part of the UID seed: two segmentations of one CT need different ones. Default: the series number. */
  readonly seed?: string;
}

/** Inclusive-exclusive box of columns and rows that holds every voxel of the masks; the whole plane when there is none. */
function planeBox(spec: SegmentationSpec): readonly [number, number, number, number] {
  const [columns, rows] = spec.geometry.size;
  let [left, right, top, bottom] = [columns, 0, rows, 0];
  for (const { mask } of spec.segments) {
    mask.forEach((value, at) => {
      if (value === 0) return;
      const column = at % columns;
      const row = Math.floor(at / columns) % rows;
      [left, right] = [Math.min(left, column), Math.max(right, column + 1)];
      [top, bottom] = [Math.min(top, row), Math.max(bottom, row + 1)];
    });
  }
  return right === 0 ? [0, columns, 0, rows] : [left, right, top, bottom];
}

/** LPS point of voxel (i, j, k). */
function pointAt({ origin, spacing, directions }: Geometry, index: Vec3): Vec3 {
  const component = (axis: 0 | 1 | 2): number =>
    origin[axis] +
    index[0] * spacing[0] * directions[0][axis] +
    index[1] * spacing[1] * directions[1][axis] +
    index[2] * spacing[2] * directions[2][axis];
  return [component(0), component(1), component(2)];
}

/**
 * A DICOM segmentation (Segmentation Storage, BINARY): one continuous bit stream over all frames, least significant bit
 * first, no padding between frames (PS3.5 8.2, PS3.3 C.8.20). Frames are ordered by segment, then slice.
 */
export function segmentation(spec: SegmentationSpec): DicomFile {
  const { of: reference, geometry } = spec;
  const [columns, rows, slices] = geometry.size;
  const number = spec.seriesNumber ?? 300;
  const mode = spec.frames ?? 'whole';
  const [left, right, top, bottom] = mode === 'cropped' ? planeBox(spec) : [0, columns, 0, rows];
  const [width, height] = [right - left, bottom - top];

  const frames: { segment: number; k: number }[] = [];
  spec.segments.forEach(({ mask }, index) => {
    for (let k = 0; k < slices; k++) {
      const plane = mask.subarray(k * columns * rows, (k + 1) * columns * rows);
      if (mode === 'whole' || plane.some((value) => value !== 0)) frames.push({ segment: index + 1, k });
    }
  });

  const bits = new Uint8Array(Math.ceil((frames.length * width * height) / 8));
  let bit = 0;
  for (const frame of frames) {
    const mask = spec.segments[frame.segment - 1]?.mask;
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++, bit++) {
        if (mask?.[column + columns * (row + rows * frame.k)])
          bits[bit >> 3] = (bits[bit >> 3] ?? 0) | (1 << (bit & 7));
      }
    }
  }

  const base = `${reference.study.seed}/seg/${spec.seed ?? number}`;
  const dimensionUid = uidOf(`${base}/dimensions`);
  const perFrame = frames.map(({ segment, k }): ElementMap => ({
    '00089124': sq({
      '00082112': sq({
        '00081150': el('UI', reference.sopClassUid),
        '00081155': el('UI', reference.sopInstanceUids[k] ?? ''),
        '0040A170': sq({
          '00080100': el('SH', '121322'),
          '00080102': el('SH', 'DCM'),
          '00080104': el('LO', 'Source image for image processing operation'),
        }),
      }),
      '00089215': sq({
        '00080100': el('SH', '113076'),
        '00080102': el('SH', 'DCM'),
        '00080104': el('LO', 'Segmentation'),
      }),
    }),
    '00209111': sq({ '00209157': el('UL', segment, k + 1) }),
    '00209113': sq({ '00200032': ds(...pointAt(geometry, [left, top, k])) }),
    '0062000A': sq({ '0062000B': el('US', segment) }),
  }));

  return part10(`${number}-1.dcm`, {
    ...studyElements(reference.study),
    '00080005': el('CS', 'ISO_IR 192'),
    '00080008': el('CS', 'DERIVED', 'PRIMARY'),
    '00080016': el('UI', SOP_CLASS.segmentation),
    '00080018': el('UI', uidOf(`${base}/instance`)),
    '00080060': el('CS', 'SEG'),
    '0008103E': el('LO', spec.seriesDescription ?? 'phantom segmentation'),
    '00081115': sq({
      '0008114A': sq(
        ...reference.sopInstanceUids.map((uid) => ({
          '00081150': el('UI', reference.sopClassUid),
          '00081155': el('UI', uid),
        })),
      ),
      '0020000E': el('UI', reference.seriesInstanceUid),
    }),
    '0020000E': el('UI', uidOf(`${base}/series`)),
    '00200011': el('IS', String(number)),
    '00200013': el('IS', '1'),
    '00200052': el('UI', reference.frameOfReferenceUid),
    '00209221': sq({ '00209164': el('UI', dimensionUid) }),
    '00209222': sq(
      { '00209164': el('UI', dimensionUid), '00209165': el('AT', 0x0062000b), '00209167': el('AT', 0x0062000a) },
      { '00209164': el('UI', dimensionUid), '00209165': el('AT', 0x00200032), '00209167': el('AT', 0x00209113) },
    ),
    '00280002': el('US', 1),
    '00280004': el('CS', 'MONOCHROME2'),
    '00280008': el('IS', String(frames.length)),
    '00280010': el('US', height),
    '00280011': el('US', width),
    '00280100': el('US', 1),
    '00280101': el('US', 1),
    '00280102': el('US', 0),
    '00280103': el('US', 0),
    '00282110': el('CS', '00'),
    '00620001': el('CS', 'BINARY'),
    '00620002': sq(
      ...spec.segments.map(({ label }, index) => ({
        '00620003': sq({
          '00080100': el('SH', '49755003'),
          '00080102': el('SH', 'SCT'),
          '00080104': el('LO', 'Morphologically Altered Structure'),
        }),
        '00620004': el('US', index + 1),
        '00620005': el('LO', label),
        '00620008': el('CS', 'MANUAL'),
        '0062000F': sq({
          '00080100': el('SH', '108369006'),
          '00080102': el('SH', 'SCT'),
          '00080104': el('LO', 'Neoplasm'),
        }),
      })),
    ),
    '00700080': el('CS', 'PHANTOM'),
    '00700081': el('LO', ''),
    '00700084': el('PN', ''),
    '52009229': sq({
      '00209116': sq({ '00200037': ds(...geometry.directions[0], ...geometry.directions[1]) }),
      '00289110': sq({
        '00180050': ds(geometry.spacing[2]),
        '00180088': ds(geometry.spacing[2]),
        '00280030': ds(geometry.spacing[1], geometry.spacing[0]),
      }),
    }),
    '52009230': sq(...perFrame),
    '7FE00010': pixels('OB', bits),
  });
}
