import type { Vec3, Volume } from '../../geometry/volume.js';
import type { Box } from '../roi.js';
import { waveletFilters, type WaveletFilters } from './wavelet-filters.js';

/** A block of values cut out of a periodic volume. */
interface Block {
  readonly size: Vec3;
  readonly data: Float64Array;
}

/** One band of a decomposition inside the box: letters L and H along i, j, k. */
export interface Band {
  readonly letters: string;
  readonly level: number;
  readonly values: Float64Array;
}

/**
 * Cuts a box with a margin out of an image that repeats for ever. Odd axes repeat after one more sample, their first:
 * pyradiomics pads them so because the transform wants even lengths.
 */
function periodicBlock(image: Volume, box: Box, margin: number, axes: readonly number[]): Block {
  const full = image.geometry.size;
  const indexes = [0, 1, 2].map((axis) => {
    const wide = axes.includes(axis) ? margin : 0;
    const period = full[axis]! + (full[axis]! % 2);
    const from = box.lower[axis]! - wide;
    const length = box.upper[axis]! - box.lower[axis]! + 1 + 2 * wide;
    return Array.from({ length }, (_, n) => {
      const at = (((from + n) % period) + period) % period;
      return at === full[axis] ? 0 : at;
    });
  }) as [number[], number[], number[]];
  const [is, js, ks] = indexes;
  const data = new Float64Array(is.length * js.length * ks.length);
  let to = 0;
  for (const k of ks) for (const j of js) for (const i of is) data[to++] = image.data[i + full[0] * (j + full[1] * k)]!;
  return { size: [is.length, js.length, ks.length], data };
}

/**
 * One axis of the stationary transform at the finest scale: out[n] = Σ filter[j] · in[n + F/2 − j]. The result is shorter
 * by F − 1 samples; `lost` tells how many at the front.
 */
function convolve(block: Block, axis: 0 | 1 | 2, filter: readonly number[]): Block {
  const taps = filter.length;
  const size = block.size.map((n, at) => (at === axis ? n - taps + 1 : n)) as unknown as Vec3;
  const strides: Vec3 = [1, block.size[0], block.size[0] * block.size[1]];
  const data = new Float64Array(size[0] * size[1] * size[2]);
  let to = 0;
  for (let k = 0; k < size[2]; k += 1)
    for (let j = 0; j < size[1]; j += 1)
      for (let i = 0; i < size[0]; i += 1) {
        const from = i + block.size[0] * (j + block.size[1] * k);
        let sum = 0;
        for (let tap = 0; tap < taps; tap += 1)
          sum += filter[tap]! * block.data[from + (taps - 1 - tap) * strides[axis]]!;
        data[to++] = sum;
      }
  return { size, data };
}

/** Cuts the box back out of a block from which each level has eaten F − 1 samples. */
function inner(block: Block, box: Box, offset: number, axes: readonly number[]): Float64Array {
  const size = [0, 1, 2].map((axis) => box.upper[axis]! - box.lower[axis]! + 1);
  const start = [0, 1, 2].map((axis) => (axes.includes(axis) ? offset : 0));
  const values = new Float64Array(size[0]! * size[1]! * size[2]!);
  let to = 0;
  for (let k = 0; k < size[2]!; k += 1)
    for (let j = 0; j < size[1]!; j += 1)
      for (let i = 0; i < size[0]!; i += 1) {
        values[to++] = block.data[start[0]! + i + block.size[0] * (start[1]! + j + block.size[1] * (start[2]! + k))]!;
      }
  return values;
}

function decompose(block: Block, axes: readonly (0 | 1 | 2)[], filters: WaveletFilters): Map<string, Block> {
  let bands = new Map<string, Block>([['', block]]);
  for (const axis of axes) {
    const next = new Map<string, Block>();
    for (const [letters, band] of bands) {
      next.set(`${letters}L`, convolve(band, axis, filters.low));
      next.set(`${letters}H`, convolve(band, axis, filters.high));
    }
    bands = next;
  }
  return bands;
}

/**
 * Stationary wavelet transform of an image as pyradiomics makes it (PyWavelets swtn, level by level at the finest scale),
 * only inside `box`: what lies further away than the filters reach is never computed. Bands in pyradiomics' order: the
 * details of each level, then the last approximation.
 *
 * @param axes voxel axes that take part, in the order of the letters
 */
export function* waveletBands(
  image: Volume,
  box: Box,
  axes: readonly (0 | 1 | 2)[],
  options: { readonly wavelet: string; readonly level: number; readonly startLevel: number },
): IterableIterator<Band> {
  const filters = waveletFilters(options.wavelet);
  const taps = filters.low.length;
  const levels = options.startLevel + options.level;
  const margin = levels * taps;
  const low = 'L'.repeat(axes.length);
  let block = periodicBlock(image, box, margin, axes);
  // Each level looks F/2 − 1 samples back and F/2 ahead; the block's first sample moves by the former.
  const back = taps / 2 - 1;
  for (let level = 1; level <= levels; level += 1) {
    const bands = decompose(block, axes, filters);
    const offset = margin - level * back;
    if (level > options.startLevel) {
      for (const [letters, band] of bands) {
        if (letters !== low)
          yield { letters, level: level - options.startLevel, values: inner(band, box, offset, axes) };
      }
    }
    block = bands.get(low)!;
    if (level === levels) yield { letters: low, level: options.level, values: inner(block, box, offset, axes) };
  }
}
