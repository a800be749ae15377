import {
  axialGeometry,
  chestPhantom,
  ctSeries,
  segmentation,
  sphereContours,
  structureSet,
  type CtSeries,
  type DicomFile,
} from '../domain/dicom/write/index.js';
import type { Geometry } from '../domain/geometry/volume.js';
import { seededRandom } from '../domain/seeded-random.js';
import type { DemoCase } from './cases.js';

/** A coarse chest CT: small enough that twelve are made and measured in seconds. */
const GEOMETRY = axialGeometry([128, 128, 30], [2.6, 2.6, 4]);
const WAVES = 6;
const TEXTURE_HU = 18;
/** The core of a tumour with two segments, as a share of its half axes. */
const CORE = 0.55;

/** The DICOM files of a case: paths relative to the study's folder. */
export interface StudyFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Gives a tumour an inside: a sum of plane waves of 6 to 20 mm with directions and phases of the seed, so that texture
 * features differ between cases.
 */
function addTexture(hu: Int16Array, tumour: Uint8Array, geometry: Geometry, seed: number): void {
  const random = seededRandom(seed);
  const waves = Array.from({ length: WAVES }, () => {
    const direction = [random.normal(), random.normal(), random.normal()] as const;
    const length = Math.hypot(...direction);
    const k = (2 * Math.PI) / (6 + 14 * random.uniform()) / length;
    return { wave: direction.map((part) => part * k), phase: 2 * Math.PI * random.uniform() };
  });
  const [columns, rows] = geometry.size;
  const [dx, dy, dz] = geometry.spacing;
  const amplitude = TEXTURE_HU * Math.sqrt(2 / WAVES);
  tumour.forEach((inside, at) => {
    if (inside === 0) return;
    const x = (at % columns) * dx;
    const y = (Math.floor(at / columns) % rows) * dy;
    const z = Math.floor(at / (columns * rows)) * dz;
    const value = waves.reduce(
      (sum, { wave: [a = 0, b = 0, c = 0], phase }) => sum + Math.cos(a * x + b * y + c * z + phase),
      0,
    );
    hu[at] = Math.round((hu[at] ?? 0) + amplitude * value);
  });
}

function segmentationOf(demo: DemoCase, ct: CtSeries, tumour: Uint8Array): DicomFile | undefined {
  const { form, centre, radii } = demo;
  const base = { of: ct.reference, geometry: GEOMETRY };
  switch (form) {
    case 'none':
      return undefined;
    case 'contours': {
      const contours = sphereContours(GEOMETRY, centre, radii[0]);
      return structureSet({ of: ct.reference, rois: [{ name: 'GTV', type: 'GTV', contours }] });
    }
    case 'two-segments': {
      const shrunk = { centre, radii: [radii[0] * CORE, radii[1] * CORE, radii[2] * CORE] as const };
      const core = chestPhantom({ geometry: GEOMETRY, tumour: shrunk, seed: demo.seed }).tumour;
      const segments = [
        { label: 'Whole tumor', mask: tumour },
        { label: 'Tumor core', mask: core },
      ];
      return segmentation({ ...base, segments, frames: 'sparse', seriesDescription: 'Tumour and its core' });
    }
    default:
      return segmentation({ ...base, segments: [{ label: 'Neoplasm', mask: tumour }], frames: form });
  }
}

/** The study of a case: a CT series, and its tumour beside it in the case's form. */
export function demoStudy(demo: DemoCase): { readonly files: readonly StudyFile[]; readonly tumourVoxels: number } {
  const { seed, centre, radii, hu: density } = demo;
  const { hu, tumour } = chestPhantom({ geometry: GEOMETRY, tumour: { centre, radii, hu: density }, seed });
  addTexture(hu, tumour, GEOMETRY, seed);
  const study = { seed: `cohortflow-demo/${demo.caseId}`, patientId: demo.caseId };
  const ct = ctSeries({ study, geometry: GEOMETRY, hu });
  const segmented = segmentationOf(demo, ct, tumour);
  return {
    files: [
      ...ct.files.map(({ name, bytes }) => ({ path: `ct/${name}`, bytes })),
      ...(segmented === undefined ? [] : [{ path: `segmentation/${segmented.name}`, bytes: segmented.bytes }]),
    ],
    tumourVoxels: tumour.reduce((sum, inside) => sum + inside, 0),
  };
}
