import { CohortflowError } from '../errors.js';
import type { Roi } from './roi.js';

/** How grey values become levels: bins of a width counted from 0, or a number of bins over the range. */
export type Binning = { readonly width: number } | { readonly count: number };

/** Grey levels of a region: 1, 2, … inside, 0 outside. */
export interface Levels {
  /** Level per voxel of the region's box. */
  readonly data: Int32Array;
  /** Levels that occur, ascending. */
  readonly present: Int32Array;
  /** Position of a level in `present`, by level; -1 where it does not occur. */
  readonly indexOf: Int32Array;
  /** Voxels per level of `present`. */
  readonly counts: Float64Array;
  /** The highest level that occurs (pyradiomics' Ng). */
  readonly highest: number;
}

/** More levels than this cannot be held as co-occurrence matrices; a real ROI has tens. */
const MOST_LEVELS = 65_536;
const MOST_PRESENT = 32_768;

/** Remainder with the sign of the divisor, as Python's `%`. */
function floorMod(value: number, divisor: number): number {
  const remainder = value % divisor;
  return remainder !== 0 && remainder < 0 !== divisor < 0 ? remainder + divisor : remainder;
}

/** Lower edge of bin `index` (0-based) for fixed-width bins, computed as numpy.arange does. */
function widthEdges(minimum: number, width: number): { low: number; step: number } {
  const low = minimum - floorMod(minimum, width);
  // arange takes its step from the first two values, which differs from the width by rounding.
  return { low, step: low + width - low };
}

function levelByWidth(minimum: number, maximum: number, width: number): (value: number) => number {
  const { low, step } = widthEdges(minimum, width);
  const edges = Math.ceil((maximum + 2 * width - low) / width);
  // A flat region on a bin edge has one bin around its value.
  if (edges <= 1) return () => 1;
  return (value) => {
    let bin = Math.floor((value - low) / step);
    while (bin > 0 && value < low + bin * step) bin -= 1;
    while (value >= low + (bin + 1) * step) bin += 1;
    return bin + 1;
  };
}

function levelByCount(minimum: number, maximum: number, count: number): (value: number) => number {
  const [from, to] = minimum === maximum ? [minimum - 0.5, maximum + 0.5] : [minimum, maximum];
  const step = (to - from) / count;
  // The top bin takes the maximum: its upper edge is raised by one.
  const edge = (index: number): number => (index >= count ? to + 1 : from + index * step);
  return (value) => {
    let bin = Math.min(count - 1, Math.max(0, Math.floor((value - from) / step)));
    while (bin > 0 && value < edge(bin)) bin -= 1;
    while (bin < count && value >= edge(bin + 1)) bin += 1;
    return bin + 1;
  };
}

/**
 * Discretises a region as pyradiomics does (`binWidth`: bins equally spaced from 0, half open; `binCount`: equal bins over
 * the region's range, the last one closed). The lowest level inside is 1.
 *
 * @throws CohortflowError `TooManyGrayLevels`
 */
export function discretise(roi: Roi, binning: Binning): Levels {
  let minimum = Infinity;
  let maximum = -Infinity;
  for (let at = 0; at < roi.mask.length; at += 1) {
    if (roi.mask[at] === 0) continue;
    const value = roi.values[at]!;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  const wanted = 'width' in binning ? Math.ceil((maximum - minimum) / binning.width) + 1 : binning.count;
  if (wanted > MOST_LEVELS) {
    throw new CohortflowError('TooManyGrayLevels', `${wanted} grey levels, at most ${MOST_LEVELS} can be handled`);
  }
  const levelOf =
    'width' in binning ? levelByWidth(minimum, maximum, binning.width) : levelByCount(minimum, maximum, binning.count);
  const data = new Int32Array(roi.mask.length);
  let highest = 0;
  for (let at = 0; at < data.length; at += 1) {
    if (roi.mask[at] === 0) continue;
    const level = levelOf(roi.values[at]!);
    data[at] = level;
    if (level > highest) highest = level;
  }
  const perLevel = new Float64Array(highest + 1);
  for (const level of data) if (level > 0) perLevel[level]! += 1;
  const present = Int32Array.from(perLevel.keys()).filter((level) => perLevel[level]! > 0);
  if (present.length > MOST_PRESENT) {
    throw new CohortflowError(
      'TooManyGrayLevels',
      `${present.length} grey levels occur, at most ${MOST_PRESENT} can be handled`,
    );
  }
  const indexOf = new Int32Array(highest + 1).fill(-1);
  present.forEach((level, index) => (indexOf[level] = index));
  return { data, present, indexOf, counts: Float64Array.from(present, (level) => perLevel[level]!), highest };
}
