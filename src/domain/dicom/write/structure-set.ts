import { SOP_CLASS } from '../uids.js';
import type { Geometry, Vec3 } from '../../geometry/volume.js';
import { decimal, el, part10, sq, type DicomFile } from './elements.js';
import { studyElements, type SeriesReference } from './study.js';
import { uidOf } from './uid.js';

/** One closed planar contour: LPS points in mm, all in the plane of slice `k`. */
export interface ContourSpec {
  readonly k: number;
  readonly points: readonly Vec3[];
}

/** One region of interest of a structure set. */
export interface RoiSpec {
  readonly name: string;
  readonly contours: readonly ContourSpec[];
  /** RT ROI Interpreted Type (3006,00A4), e.g. `GTV`, `ORGAN`, `EXTERNAL`; default none. */
  readonly type?: string;
}

/** What {@link structureSet} needs to know. */
export interface StructureSetSpec {
  readonly of: SeriesReference;
  readonly rois: readonly RoiSpec[];
  readonly seriesNumber?: number;
  readonly seriesDescription?: string;
  readonly seed?: string;
}

/** An RT Structure Set with CLOSED_PLANAR contours that refer to their slices. */
export function structureSet(spec: StructureSetSpec): DicomFile {
  const { of: reference } = spec;
  const number = spec.seriesNumber ?? 400;
  const base = `${reference.study.seed}/rtstruct/${spec.seed ?? number}`;
  const image = (uid: string) => ({ '00081150': el('UI', reference.sopClassUid), '00081155': el('UI', uid) });
  return part10(`${number}-1.dcm`, {
    ...studyElements(reference.study),
    '00080005': el('CS', 'ISO_IR 192'),
    '00080016': el('UI', SOP_CLASS.rtStructureSet),
    '00080018': el('UI', uidOf(`${base}/instance`)),
    '00080060': el('CS', 'RTSTRUCT'),
    '0008103E': el('LO', spec.seriesDescription ?? 'phantom contours'),
    '0020000E': el('UI', uidOf(`${base}/series`)),
    '00200011': el('IS', String(number)),
    '00200013': el('IS', '1'),
    '00200052': el('UI', reference.frameOfReferenceUid),
    '30060002': el('SH', 'PHANTOM'),
    '30060008': el('DA', reference.study.date ?? '20000101'),
    '30060009': el('TM', '120000'),
    '30060010': sq({
      '00200052': el('UI', reference.frameOfReferenceUid),
      '30060012': sq({
        '00081150': el('UI', '1.2.840.10008.3.1.2.3.1'),
        '00081155': el('UI', reference.studyInstanceUid),
        '30060014': sq({
          '0020000E': el('UI', reference.seriesInstanceUid),
          '30060016': sq(...reference.sopInstanceUids.map(image)),
        }),
      }),
    }),
    '30060020': sq(
      ...spec.rois.map((roi, index) => ({
        '30060022': el('IS', String(index + 1)),
        '30060024': el('UI', reference.frameOfReferenceUid),
        '30060026': el('LO', roi.name),
        '30060036': el('CS', 'MANUAL'),
      })),
    ),
    '30060039': sq(
      ...spec.rois.map((roi, index) => ({
        '3006002A': el('IS', '255', '0', '0'),
        '30060040': sq(
          ...roi.contours.map(({ k, points }) => ({
            '30060016': sq(image(reference.sopInstanceUids[k] ?? '')),
            '30060042': el('CS', 'CLOSED_PLANAR'),
            '30060046': el('IS', String(points.length)),
            '30060050': el('DS', ...points.flatMap((point) => point.map(decimal))),
          })),
        ),
        '30060084': el('IS', String(index + 1)),
      })),
    ),
    '30060080': sq(
      ...spec.rois.map((roi, index) => ({
        '30060082': el('IS', String(index + 1)),
        '30060084': el('IS', String(index + 1)),
        '300600A4': el('CS', roi.type ?? ''),
        '300600A6': el('PN', ''),
      })),
    ),
  });
}

/**
 * Contours of a sphere, one polygon of `corners` points per slice that it cuts; the polygon is inscribed in the circle of
 * that slice. Axial, sagittal or oblique grids alike: the plane is the grid's own.
 *
 * @param centre LPS, mm
 * @param radius mm
 */
export function sphereContours(geometry: Geometry, centre: Vec3, radius: number, corners = 64): ContourSpec[] {
  const [u, v, n] = geometry.directions;
  const contours: ContourSpec[] = [];
  for (let k = 0; k < geometry.size[2]; k++) {
    const plane: Vec3 = [0, 1, 2].map((axis) => {
      const at = axis as 0 | 1 | 2;
      return geometry.origin[at] + k * geometry.spacing[2] * n[at];
    }) as unknown as Vec3;
    const height = (centre[0] - plane[0]) * n[0] + (centre[1] - plane[1]) * n[1] + (centre[2] - plane[2]) * n[2];
    if (Math.abs(height) >= radius) continue;
    const across = Math.sqrt(radius * radius - height * height);
    const points = Array.from({ length: corners }, (_, corner): Vec3 => {
      const angle = (2 * Math.PI * corner) / corners;
      const [a, b] = [across * Math.cos(angle), across * Math.sin(angle)];
      return [
        centre[0] - height * n[0] + a * u[0] + b * v[0],
        centre[1] - height * n[1] + a * u[1] + b * v[1],
        centre[2] - height * n[2] + a * u[2] + b * v[2],
      ];
    });
    contours.push({ k, points });
  }
  return contours;
}
