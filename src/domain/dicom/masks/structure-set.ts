import type { Vec3 } from '../../geometry/volume.js';
import type { Dataset } from '../dataset.js';
import { CohortflowError } from '../../errors.js';
import type { Instance } from '../instance.js';
import { listNames } from '../name-match.js';

/** One region of a structure set. */
export interface Roi {
  readonly number: number;
  readonly name: string;
  /** RT ROI Interpreted Type, upper case; empty when not given. */
  readonly type: string;
}

/** One contour: its type and LPS points, mm. */
export interface Contour {
  readonly type: string;
  readonly points: readonly Vec3[];
}

/** Regions that have at least one contour, in the order of StructureSetROISequence. */
export function roisOf(dataset: Dataset): Roi[] {
  const types = new Map(dataset.items('30060080').map((item) => [item.number('30060084'), item.text('300600A4')]));
  const drawn = new Set(
    dataset.items('30060039').flatMap((item) => (item.items('30060040').length > 0 ? [item.number('30060084')] : [])),
  );
  return dataset.items('30060020').flatMap((item) => {
    const number = item.number('30060022');
    if (number === undefined || !drawn.has(number)) return [];
    return [{ number, name: item.text('30060026') ?? `ROI ${number}`, type: (types.get(number) ?? '').toUpperCase() }];
  });
}

/** The contours of one region. Throws `DamagedDicom` when points are not numbers in threes. */
export function contoursOf(instance: Instance, roi: Roi): Contour[] {
  return instance.dataset
    .items('30060039')
    .filter((item) => item.number('30060084') === roi.number)
    .flatMap((item) => item.items('30060040'))
    .map((item): Contour => {
      const values = item.numbers('30060050') ?? [];
      const declared = item.number('30060046');
      if (values.length % 3 !== 0 || (declared !== undefined && declared * 3 !== values.length)) {
        throw new CohortflowError(
          'DamagedDicom',
          `${instance.shown}: a contour of "${roi.name}" has ${values.length} usable coordinates where ${declared ?? 'whole'} points need ${declared === undefined ? 'threes' : declared * 3}. Export the structure set again.`,
        );
      }
      const points: Vec3[] = [];
      for (let at = 0; at < values.length; at += 3) points.push([values[at]!, values[at + 1]!, values[at + 2]!]);
      return { type: item.text('30060042')?.toUpperCase() ?? 'CLOSED_PLANAR', points };
    });
}

/** Names that say tumour: gross tumour volume first, then the plain words. */
const TUMOUR = /gtv|tumou?r|neoplas|lesion|cancer|carcinom|sarcom|metasta|nodul|(?:^|[^a-z])mass(?:es)?(?:[^a-z]|$)/i;
/** Names that hold such a word but mean the surroundings of a tumour, or the rest without it. */
const NOT_TUMOUR =
  /(?:^|[^a-z])(?:non|no|not|without|minus|excl\w*|peri)[^a-z]*(?:gtv|tumou?r|lesion|mass)|peritumou?r|minus|(?:^|[^a-z])(?:ring|margin|shell)(?:[^a-z]|$)|[-_ ]-?(?:o?edema)|^o?edema/i;
/** Types and names of regions that are no organ and no tumour. */
const NOT_TISSUE_TYPE = new Set([
  'EXTERNAL',
  'SUPPORT',
  'FIXATION',
  'MARKER',
  'ISOCENTER',
  'REGISTRATION',
  'BOLUS',
  'DOSE_REGION',
  'CONTROL',
]);
const NOT_TISSUE_NAME = /^(?:body|external|skin|outer contour|patient|couch.*|table)$/i;

/**
 * The tumour among the regions of a structure set, when nobody says which region is meant: all of type GTV or with a
 * name that says tumour (GTV, tumour, neoplasm, lesion, mass, nodule, …, but not `peritumoral`, `GTV edema`, `lung minus
 * GTV`); else the only region that is not the patient's outline or equipment.
 *
 * Throws `RoiAmbiguous` with the names, `RoiNotFound` when there is no region with contours.
 */
export function tumourRois(rois: readonly Roi[], shown: string): Roi[] {
  const tumours = rois.filter(({ name, type }) => !NOT_TUMOUR.test(name) && (type === 'GTV' || TUMOUR.test(name)));
  if (tumours.length > 0) return tumours;
  const tissue = rois.filter(({ name, type }) => !NOT_TISSUE_TYPE.has(type) && !NOT_TISSUE_NAME.test(name));
  if (tissue.length === 1) return tissue;
  const candidates = tissue.length > 0 ? tissue : rois;
  if (candidates.length === 0) {
    throw new CohortflowError('RoiNotFound', `${shown}: the structure set has no region with contours.`);
  }
  throw new CohortflowError(
    'RoiAmbiguous',
    `${shown}: none of the regions is named as a tumour; choose one with --roi: ${listNames(candidates.map(({ name }) => name))}.`,
    { candidates: candidates.map(({ name }) => name).slice(0, 50) },
  );
}
