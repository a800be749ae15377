import { TRANSFER_SYNTAX, SOP_CLASS } from '../uids.js';
import type { Geometry, Vec3 } from '../../geometry/volume.js';
import { ds, el, part10, pixels, type DicomFile } from './elements.js';
import {
  frameOfReferenceUid,
  studyElements,
  studyInstanceUid,
  type SeriesReference,
  type SyntheticStudy,
} from './study.js';
import { uidOf } from './uid.js';

/** What {@link ctSeries} needs to know. */
export interface CtSeriesSpec {
  readonly study: SyntheticStudy;
  /** Where the volume lies (LPS, mm); `size` is columns, rows, slices. */
  readonly geometry: Geometry;
  /** Hounsfield units, -1024 to 3071, one per voxel, `i` fastest. */
  readonly hu: Int16Array;
  readonly seriesNumber?: number;
  readonly seriesDescription?: string;
  readonly transferSyntax?: typeof TRANSFER_SYNTAX.explicitLittle | typeof TRANSFER_SYNTAX.implicitLittle;
  /** Stored = (HU - intercept) / slope; default slope 1, intercept -1024, so that stored values are unsigned. */
  readonly rescaleSlope?: number;
  readonly rescaleIntercept?: number;
}

/** The files of a CT series, one per slice, and what a segmentation needs to refer to it. */
export interface CtSeries {
  readonly files: readonly DicomFile[];
  readonly reference: SeriesReference;
}

const along = (geometry: Geometry, k: number): Vec3 => {
  const [, , normal] = geometry.directions;
  const step = k * geometry.spacing[2];
  return [
    geometry.origin[0] + step * normal[0],
    geometry.origin[1] + step * normal[1],
    geometry.origin[2] + step * normal[2],
  ];
};

/** The stored 16-bit words of one slice, little-endian. */
function storedSlice(spec: CtSeriesSpec, k: number): Uint8Array {
  const [columns, rows] = spec.geometry.size;
  const slope = spec.rescaleSlope ?? 1;
  const intercept = spec.rescaleIntercept ?? -1024;
  const bytes = new Uint8Array(columns * rows * 2);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < columns * rows; at++) {
    const hu = spec.hu[k * columns * rows + at] ?? 0;
    view.setUint16(2 * at, Math.max(0, Math.min(4095, Math.round((hu - intercept) / slope))), true);
  }
  return bytes;
}

/**
 * A CT series (CT Image Storage, 12 bits stored, unsigned, rescaled to HU), named `1-001.dcm`, `1-002.dcm`, … in slice
 * order. InstanceNumber counts from 1 in the same order. Equal specifications give equal bytes.
 */
export function ctSeries(spec: CtSeriesSpec): CtSeries {
  const { study, geometry } = spec;
  const [columns, rows, slices] = geometry.size;
  const number = spec.seriesNumber ?? 1;
  const seriesUid = uidOf(`${study.seed}/ct/${number}`);
  const reference: SeriesReference = {
    study,
    studyInstanceUid: studyInstanceUid(study),
    seriesInstanceUid: seriesUid,
    frameOfReferenceUid: frameOfReferenceUid(study),
    sopClassUid: SOP_CLASS.ct,
    sopInstanceUids: Array.from({ length: slices }, (_, k) => uidOf(`${study.seed}/ct/${number}/${k}`)),
  };
  const files = reference.sopInstanceUids.map((sopInstanceUid, k) =>
    part10(
      `${number}-${String(k + 1).padStart(3, '0')}.dcm`,
      {
        ...studyElements(study),
        '00080005': el('CS', 'ISO_IR 100'),
        '00080008': el('CS', 'ORIGINAL', 'PRIMARY', 'AXIAL'),
        '00080016': el('UI', SOP_CLASS.ct),
        '00080018': el('UI', sopInstanceUid),
        '00080060': el('CS', 'CT'),
        '0008103E': el('LO', spec.seriesDescription ?? 'phantom CT'),
        '00180050': ds(geometry.spacing[2]),
        '00180060': ds(120),
        '0020000E': el('UI', seriesUid),
        '00200011': el('IS', String(number)),
        '00200012': el('IS', '1'),
        '00200013': el('IS', String(k + 1)),
        '00200032': ds(...along(geometry, k)),
        '00200037': ds(...geometry.directions[0], ...geometry.directions[1]),
        '00200052': el('UI', reference.frameOfReferenceUid),
        '00201040': el('LO', ''),
        '00280002': el('US', 1),
        '00280004': el('CS', 'MONOCHROME2'),
        '00280010': el('US', rows),
        '00280011': el('US', columns),
        '00280030': ds(geometry.spacing[1], geometry.spacing[0]),
        '00280100': el('US', 16),
        '00280101': el('US', 12),
        '00280102': el('US', 11),
        '00280103': el('US', 0),
        '00281052': ds(spec.rescaleIntercept ?? -1024),
        '00281053': ds(spec.rescaleSlope ?? 1),
        '00281054': el('LO', 'HU'),
        '7FE00010': pixels('OW', storedSlice(spec, k)),
      },
      spec.transferSyntax ?? TRANSFER_SYNTAX.explicitLittle,
    ),
  );
  return { files, reference };
}
