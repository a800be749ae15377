import { CohortflowError } from '../errors.js';
import { ORTHONORMAL_TOLERANCE } from '../geometry/tolerances.js';
import { dot, isFinite3, norm, unit } from '../geometry/vector.js';
import type { Vec3 } from '../geometry/volume.js';
import type { Dataset } from './dataset.js';
import type { Instance } from './instance.js';

/** Where one image frame lies and how its stored values become HU. */
export interface Frame {
  readonly instance: Instance;
  /** Index of the frame in its object, from 0. */
  readonly index: number;
  /** LPS centre of the first pixel, mm. */
  readonly position: Vec3;
  /** LPS unit vectors of increasing column index and of increasing row index. */
  readonly rowDirection: Vec3;
  readonly columnDirection: Vec3;
  /** mm between rows, mm between columns: the order of PixelSpacing. */
  readonly rowSpacing: number;
  readonly columnSpacing: number;
  readonly slope: number;
  readonly intercept: number;
  /** False when the header has no rescale and slope 1, intercept 0 was assumed. */
  readonly rescaled: boolean;
  readonly rescaleType: string | undefined;
  readonly padding: number | undefined;
  /** Values that may tell acquisitions of one series apart, by name. */
  readonly keys: Readonly<Record<'acquisition' | 'temporal' | 'stack' | 'kernel' | 'type', string>>;
  readonly isLocalizer: boolean;
}

/** Looks an attribute up where enhanced objects may keep it: the frame's own group, the shared group, the root. */
class FunctionalGroups {
  constructor(
    private readonly root: Dataset,
    private readonly shared: Dataset | undefined,
    private readonly own: Dataset | undefined,
  ) {}
  numbers(group: string, tag: string): number[] | undefined {
    return this.own?.item(group)?.numbers(tag) ?? this.shared?.item(group)?.numbers(tag) ?? this.root.numbers(tag);
  }
  text(group: string, tag: string): string | undefined {
    return this.own?.item(group)?.text(tag) ?? this.shared?.item(group)?.text(tag) ?? this.root.text(tag);
  }
  texts(group: string, tag: string): string[] {
    for (const place of [this.own?.item(group), this.shared?.item(group), this.root]) {
      if (place?.has(tag)) return place.texts(tag);
    }
    return [];
  }
}

function vec3(values: readonly number[] | undefined): Vec3 | undefined {
  if (values?.length !== 3) return undefined;
  return [values[0]!, values[1]!, values[2]!];
}

/** Unit row and column directions from the six numbers of ImageOrientationPatient; undefined when they are no orientation. */
export function orientationOf(values: readonly number[] | undefined): readonly [Vec3, Vec3] | undefined {
  if (values?.length !== 6) return undefined;
  const row: Vec3 = [values[0]!, values[1]!, values[2]!];
  const column: Vec3 = [values[3]!, values[4]!, values[5]!];
  const straight =
    Math.abs(norm(row) - 1) <= ORTHONORMAL_TOLERANCE &&
    Math.abs(norm(column) - 1) <= ORTHONORMAL_TOLERANCE &&
    Math.abs(dot(row, column)) <= ORTHONORMAL_TOLERANCE;
  return straight ? [unit(row), unit(column)] : undefined;
}

/** Row and column spacing from PixelSpacing; undefined unless both are positive and of a size that a scanner produces. */
export function spacingOf(values: readonly number[] | undefined): readonly [number, number] | undefined {
  if (values?.length !== 2) return undefined;
  const [row, column] = [values[0]!, values[1]!];
  return [row, column].every((value) => value > 1e-4 && value < 1e4) ? [row, column] : undefined;
}

/** Stored padding as signed value: implicit VR files carry it as unsigned (PS3.3 C.7.5.1.1.2). */
function paddingOf(instance: Instance): number | undefined {
  const value = instance.dataset.number('00280120');
  const bits = instance.format.bitsAllocated;
  return value !== undefined && instance.format.signed && value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
}

/** True when an image carries any position at all: what tells slices from screen captures. */
export function hasPosition(instance: Instance): boolean {
  return instance.dataset.has('00200032') || instance.dataset.has('52009230') || instance.dataset.has('52009229');
}

/**
 * The frames of an image object, classic (one frame) or enhanced (functional groups, each attribute looked up in the
 * frame's own group, then the shared one, then the root).
 *
 * Throws `NoGeometry` naming the file and the attribute that is missing or not usable (not numbers, not finite, zero or
 * negative spacing, directions that are not at right angles), and `DamagedDicom` when there are not as many per-frame
 * groups as frames or the rescale is impossible.
 */
export function framesOf(instance: Instance): Frame[] {
  const { dataset, shown } = instance;
  const shared = dataset.item('52009229');
  const perFrame = dataset.items('52009230');
  const count = instance.format.frames;
  if (perFrame.length > 0 && perFrame.length !== count) {
    throw new CohortflowError(
      'DamagedDicom',
      `${shown}: ${count} frames but geometry for ${perFrame.length}. Fetch the file again.`,
    );
  }
  const missing = (what: string): never => {
    throw new CohortflowError(
      'NoGeometry',
      `${shown}: ${what} is missing or not usable, so the image has no place in the patient.`,
      { attribute: what },
    );
  };
  const padding = paddingOf(instance);

  return Array.from({ length: count }, (_, index): Frame => {
    const groups = new FunctionalGroups(dataset, shared, perFrame[index]);
    const position = vec3(groups.numbers('00209113', '00200032')) ?? missing('ImagePositionPatient');
    if (!isFinite3(position) || position.some((value) => Math.abs(value) > 1e6)) missing('ImagePositionPatient');
    const [rowDirection, columnDirection] =
      orientationOf(groups.numbers('00209116', '00200037')) ?? missing('ImageOrientationPatient');
    const [rowSpacing, columnSpacing] = spacingOf(groups.numbers('00289110', '00280030')) ?? missing('PixelSpacing');
    const slope = groups.numbers('00289145', '00281053')?.[0];
    const intercept = groups.numbers('00289145', '00281052')?.[0];
    if (slope === 0) {
      throw new CohortflowError('DamagedDicom', `${shown}: RescaleSlope is 0, which would make every value the same.`);
    }
    const type = groups.texts('00189329', '00089007');
    const imageType = type.length > 0 ? type : dataset.texts('00080008');
    const isLocalizer = imageType.slice(2).some((part) => /^(LOCALIZER|SCOUT)$/i.test(part));
    return {
      instance,
      index,
      position,
      rowDirection,
      columnDirection,
      rowSpacing,
      columnSpacing,
      slope: slope ?? 1,
      intercept: intercept ?? 0,
      rescaled: slope !== undefined || intercept !== undefined,
      rescaleType: groups.text('00289145', '00281054'),
      padding,
      keys: {
        acquisition: groups.text('00209111', '00209156') ?? dataset.text('00200012') ?? '',
        temporal: groups.text('00209111', '00209128') ?? dataset.text('00200100') ?? '',
        stack: groups.text('00209111', '00209056') ?? '',
        kernel: dataset.texts('00181210').join('\\'),
        type: imageType.join('\\'),
      },
      isLocalizer,
    };
  });
}
