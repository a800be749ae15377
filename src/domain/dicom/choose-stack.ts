import { CohortflowError } from '../errors.js';
import { stackSlices, sliceNormal, type Stack } from '../geometry/stack.js';
import { ORIENTATION_TOLERANCE, SAME_POSITION_MM, SPACING_RELATIVE_TOLERANCE } from '../geometry/tolerances.js';
import { dot } from '../geometry/vector.js';
import type { Vec3 } from '../geometry/volume.js';
import type { Frame } from './frame.js';
import { isNamed, namesOnePart, referencedGroup, type References } from './named-frames.js';
import type { Warning } from './warning.js';

/** Frames that form the volume, in slice order, and what was left out. */
export interface ChosenStack {
  readonly frames: readonly Frame[];
  readonly stack: Stack;
  readonly dropped: readonly { readonly file: string; readonly reason: string }[];
  readonly warnings: readonly Warning[];
}

type KeyName = keyof Frame['keys'];

/** Headers that tell acquisitions of one series apart, the most telling first. */
const SPLIT_KEYS: readonly KeyName[] = ['acquisition', 'temporal', 'stack', 'kernel', 'type'];
const KEY_WORDS: Readonly<Record<KeyName, string>> = {
  acquisition: 'acquisition',
  temporal: 'time point',
  stack: 'stack',
  kernel: 'reconstruction kernel',
  type: 'image type',
};

const close3 = (a: Vec3, b: Vec3): boolean =>
  a.every((value, axis) => Math.abs(value - b[axis as 0]) <= ORIENTATION_TOLERANCE);

function sameShape(a: Frame, b: Frame): boolean {
  const relative = (x: number, y: number): boolean => Math.abs(x - y) <= SPACING_RELATIVE_TOLERANCE * Math.abs(y);
  return (
    a.instance.format.rows === b.instance.format.rows &&
    a.instance.format.columns === b.instance.format.columns &&
    relative(a.rowSpacing, b.rowSpacing) &&
    relative(a.columnSpacing, b.columnSpacing) &&
    close3(a.rowDirection, b.rowDirection) &&
    close3(a.columnDirection, b.columnDirection)
  );
}

function groupByShape(frames: readonly Frame[]): Frame[][] {
  const groups: Frame[][] = [];
  for (const frame of frames) {
    const group = groups.find((members) => sameShape(members[0]!, frame));
    if (group === undefined) groups.push([frame]);
    else group.push(frame);
  }
  return groups;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean3 = (vectors: readonly Vec3[]): Vec3 => [
  sum(vectors.map((v) => v[0])) / vectors.length,
  sum(vectors.map((v) => v[1])) / vectors.length,
  sum(vectors.map((v) => v[2])) / vectors.length,
];

function stackOf(frames: readonly Frame[]): Stack {
  const first = frames[0]!;
  return stackSlices({
    positions: frames.map(({ position }) => position),
    // Directions may differ in the last digits between slices; the mean is nearest to all of them.
    rowDirection: mean3(frames.map(({ rowDirection }) => rowDirection)),
    columnDirection: mean3(frames.map(({ columnDirection }) => columnDirection)),
    columns: first.instance.format.columns,
    rows: first.instance.format.rows,
    columnSpacing: first.columnSpacing,
    rowSpacing: first.rowSpacing,
  });
}

function tryStack(frames: readonly Frame[]): Stack | CohortflowError {
  try {
    return stackOf(frames);
  } catch (error) {
    if (error instanceof CohortflowError) return error;
    throw error;
  }
}

const describeGroup = (group: readonly Frame[]): string => {
  const { instance, columnSpacing, rowSpacing } = group[0]!;
  const { columns, rows } = instance.format;
  const spacing = [columnSpacing, rowSpacing].map((value) => Number(value.toFixed(4))).join(' × ');
  return `${group.length} of ${columns} × ${rows} pixels of ${spacing} mm`;
};

interface Drop {
  readonly frame: Frame;
  readonly reason: string;
}

/** Chooses the group of one size, spacing and orientation. */
function chooseShape(frames: readonly Frame[], references: References, dropped: Drop[]): Frame[] {
  const groups = groupByShape(frames);
  if (groups.length === 1) return groups[0]!;
  const keep = (at: number, reason: string): Frame[] => {
    groups.forEach((group, other) => {
      if (other !== at)
        for (const frame of group) dropped.push({ frame, reason: frame.isLocalizer ? 'localizer' : reason });
    });
    return groups[at]!;
  };
  const otherShape = 'other size, spacing or orientation than the segmented slices';
  const referenced = referencedGroup(groups, references);
  if (referenced !== undefined) return keep(referenced, otherShape);

  const slices = groups.flatMap((group, at) => (group.every(({ isLocalizer }) => isLocalizer) ? [] : [at]));
  if (slices.length === 1) return keep(slices[0]!, otherShape);
  // A scout or two that do not say so: turned against the one real stack. Images turned like the stack are part of it.
  const large = slices.filter((at) => groups[at]!.length > 2);
  if (large.length === 1) {
    const normal = sliceNormal(groups[large[0]!]![0]!);
    const turned = slices.every((at) => at === large[0] || Math.abs(dot(sliceNormal(groups[at]![0]!), normal)) < 0.99);
    if (turned) return keep(large[0]!, otherShape);
  }
  throw new CohortflowError(
    'MixedGeometry',
    `the images of the series do not form one grid: ${groups.map(describeGroup).slice(0, 6).join('; ')}. Keep only the segmented stack.`,
    { groups: groups.map(describeGroup).slice(0, 20) },
  );
}

/** True when two sets of slices cover some of the same stretch along the normal: passes, phases or reconstructions. */
function overlap(a: readonly Frame[], b: readonly Frame[]): boolean {
  const normal = sliceNormal(a[0]!);
  const range = (group: readonly Frame[]): [number, number] => {
    const along = group.map(({ position }) => dot(position, normal));
    return [Math.min(...along), Math.max(...along)];
  };
  const [a0, a1] = range(a);
  const [b0, b1] = range(b);
  return Math.min(a1, b1) - Math.max(a0, b0) > SAME_POSITION_MM;
}

/**
 * Splits frames that are no regular stack together into regular stacks by a header, when one does that: stacks that lie over
 * each other, or one after the other when the segmentation names just one of them.
 */
function splitPasses(frames: readonly Frame[], references: References): { key: KeyName; parts: Frame[][] } | undefined {
  for (const key of SPLIT_KEYS) {
    const groups = new Map<string, Frame[]>();
    for (const frame of frames) {
      const group = groups.get(frame.keys[key]);
      if (group === undefined) groups.set(frame.keys[key], [frame]);
      else group.push(frame);
    }
    const parts = [...groups.values()];
    if (parts.length < 2 || parts.some((part) => tryStack(part) instanceof CohortflowError)) continue;
    // Parts one after the other may be one scan whose headers count on (GE does); taking one of them would cut the volume.
    const areOver = parts.every((part, at) => at === 0 || parts.slice(0, at).some((other) => overlap(part, other)));
    if (areOver || namesOnePart(parts, references)) return { key, parts };
  }
  return undefined;
}

/** Groups frames at the same place along the normal. */
function byPosition(frames: readonly Frame[]): Frame[][] {
  const normal = sliceNormal(frames[0]!);
  const sorted = frames
    .map((frame) => ({ frame, along: dot(frame.position, normal) }))
    .sort((a, b) => a.along - b.along);
  const places: Frame[][] = [];
  let last = -Infinity;
  for (const { frame, along } of sorted) {
    if (along - last < SAME_POSITION_MM) places.at(-1)!.push(frame);
    else places.push([frame]);
    last = along;
  }
  return places;
}

/**
 * Of images that lie in the same places without a header that tells them apart: those that the segmentation names, when
 * they are one for each place. Fewer would cut the volume to the slices that were segmented.
 */
function namedOnes(frames: readonly Frame[], references: References): Frame[] | undefined {
  const named = byPosition(frames).map((place) =>
    place.filter((frame) => isNamed(frame, references) || references.byObject.has(frame.instance.sopInstanceUid)),
  );
  return named.every(({ length }) => length === 1) ? named.flat() : undefined;
}

/**
 * Chooses and orders the frames of a series that form the volume.
 *
 * In this order: one size, spacing and orientation (the one the segmentation's references fall into; else localizers and
 * lone turned images go); copies at the same position with the same pixels go; passes, phases and reconstructions that lie
 * over each other are told apart by AcquisitionNumber and the like, and the segmentation's references choose, as they do
 * where no header tells images apart. Everything left out is in `dropped` with the reason.
 *
 * @param samePixels whether two frames hold the same values; reads files, so it is asked only about frames at one place
 *
 * Throws `MixedGeometry`, `AmbiguousSeries`, and what {@link stackSlices} throws.
 */
export async function chooseStack(
  frames: readonly Frame[],
  references: References,
  samePixels: (a: Frame, b: Frame) => Promise<boolean>,
): Promise<ChosenStack> {
  const drops: Drop[] = [];
  const warnings: Warning[] = [];
  let kept = chooseShape(frames, references, drops);

  const repeated = byPosition(kept).filter((place) => place.length > 1);
  if (repeated.length > 0 && (await samePixels(repeated[0]![0]!, repeated[0]![1]!))) {
    const copies = new Set<Frame>();
    for (const place of repeated) {
      // Prefer the copy that the segmentation names.
      const first = place.find((frame) => isNamed(frame, references)) ?? place[0]!;
      for (const frame of place) if (frame !== first && (await samePixels(first, frame))) copies.add(frame);
    }
    for (const frame of copies) drops.push({ frame, reason: 'copy of another image at the same position' });
    kept = kept.filter((frame) => !copies.has(frame));
    warnings.push({
      code: 'CopiesDropped',
      message: `${copies.size} image(s) repeat another one at the same position and were left out.`,
    });
  }

  let stack = tryStack(kept);
  if (stack instanceof CohortflowError && stack.code !== 'NotAVolume' && stack.code !== 'GantryTilt') {
    const split = splitPasses(kept, references);
    if (split !== undefined) {
      const chosen = referencedGroup(split.parts, references);
      const word = KEY_WORDS[split.key];
      if (chosen === undefined) {
        throw new CohortflowError(
          'AmbiguousSeries',
          `the series holds ${split.parts.length} volumes that differ by ${word} (${split.parts.map((part) => `${part.length} slices`).join(', ')}), ` +
            'and the segmentation does not say which one it was drawn on. Keep that one in the folder.',
          { volumes: split.parts.map(({ length }) => length), by: word },
        );
      }
      split.parts.forEach((part, at) => {
        if (at !== chosen)
          for (const frame of part) drops.push({ frame, reason: `other ${word} than the segmented one` });
      });
      kept = split.parts[chosen]!;
      warnings.push({
        code: 'OneOfSeveralVolumes',
        message: `The series holds ${split.parts.length} volumes that differ by ${word}; the segmented one was taken.`,
      });
      stack = tryStack(kept);
    }
  }
  const named = stack instanceof CohortflowError && stack.code === 'DuplicatePosition' && namedOnes(kept, references);
  if (named) {
    const others = kept.filter((frame) => !named.includes(frame));
    for (const frame of others) drops.push({ frame, reason: 'at the place of an image that the segmentation names' });
    kept = named;
    warnings.push({
      code: 'OneOfSeveralVolumes',
      message: `${others.length} image(s) lie at the places of others; those that the segmentation names were taken.`,
    });
    stack = tryStack(kept);
  }
  if (stack instanceof CohortflowError) throw stack;

  const apart = drops.filter(({ reason }) => reason.startsWith('localizer') || reason.startsWith('other size'));
  if (apart.length > 0) {
    warnings.push({
      code: 'ImagesLeftOut',
      message: `${apart.length} image(s) of the series are not part of the stack and were left out.`,
    });
  }
  if (stack.gaps.uneven) {
    const { worst, spacing, worstAfterSlice } = stack.gaps;
    warnings.push({
      code: 'UnevenSpacing',
      message: `The gap after slice ${worstAfterSlice + 1} differs by ${Number(worst.toFixed(4))} mm from the spacing of ${Number(spacing.toFixed(4))} mm.`,
    });
  }
  return {
    frames: stack.order.map((index) => kept[index]!),
    stack,
    dropped: drops.map(({ frame, reason }) => ({
      file:
        frame.instance.format.frames > 1 ? `${frame.instance.shown}, frame ${frame.index + 1}` : frame.instance.shown,
      reason,
    })),
    warnings,
  };
}
