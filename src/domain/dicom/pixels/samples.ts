import { CohortflowError } from '../../errors.js';
import { frameBytes, type Instance, type PixelFormat } from '../instance.js';

export type StoredSamples = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;

/** Swaps the bytes of each word of `width` bytes in place. */
export function swapBytes(bytes: Uint8Array, width: 2 | 4): void {
  for (let at = 0; at + width <= bytes.length; at += width) {
    for (let low = 0, high = width - 1; low < high; low++, high--) {
      const kept = bytes[at + low]!;
      bytes[at + low] = bytes[at + high]!;
      bytes[at + high] = kept;
    }
  }
}

/**
 * Samples of one frame as numbers: the bits from HighBit down, sign-extended when PixelRepresentation is 1. Bits outside
 * are ignored, since readers "may not assume anything" about them (overlays and vendors' flags live there).
 *
 * `bytes` are little-endian, hold exactly one frame, and are the caller's to give away: they are changed in place.
 */
export function samplesOf(bytes: Uint8Array, format: PixelFormat): StoredSamples {
  const count = format.rows * format.columns * format.samplesPerPixel;
  const width = format.bitsAllocated / 8;
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset } = aligned;
  const samples: StoredSamples =
    width === 1
      ? format.signed
        ? new Int8Array(buffer, byteOffset, count)
        : new Uint8Array(buffer, byteOffset, count)
      : width === 2
        ? format.signed
          ? new Int16Array(buffer, byteOffset, count)
          : new Uint16Array(buffer, byteOffset, count)
        : format.signed
          ? new Int32Array(buffer, byteOffset, count)
          : new Uint32Array(buffer, byteOffset, count);
  const unused = format.bitsAllocated - format.bitsStored;
  if (unused === 0) return samples;
  const left = 32 - 1 - format.highBit;
  const right = 32 - format.bitsStored;
  // One loop per common array type: shared by several types it would run many times slower.
  if (samples instanceof Uint16Array) {
    for (let at = 0; at < count; at++) samples[at] = (samples[at]! << left) >>> right;
  } else if (samples instanceof Int16Array) {
    for (let at = 0; at < count; at++) samples[at] = (samples[at]! << left) >> right;
  } else if (format.signed) {
    for (let at = 0; at < count; at++) samples[at] = (samples[at]! << left) >> right;
  } else {
    for (let at = 0; at < count; at++) samples[at] = (samples[at]! << left) >>> right;
  }
  return samples;
}

/**
 * Bits of a BINARY segmentation: one continuous stream over all frames, least significant bit of each byte first, no
 * padding at rows or frames (PS3.5 8.1.1). Returns 0 or 1 per pixel of one frame.
 */
export function unpackBits(bytes: Uint8Array, firstBit: number, count: number): Uint8Array {
  const out = new Uint8Array(count);
  const end = firstBit + count;
  for (let bit = firstBit; bit < end;) {
    const byte = bytes[bit >>> 3]! >> (bit & 7);
    const next = Math.min(end, (bit | 7) + 1);
    // Most of a mask is empty: a byte without set bits is passed over at once.
    if (byte !== 0) for (let at = bit; at < next; at++) out[at - firstBit] = (byte >> (at - bit)) & 1;
    bit = next;
  }
  return out;
}

/** Refuses pixel data that are shorter than the header's Rows × Columns × frames need (`TruncatedPixelData`). */
export function checkNativeLength(instance: Instance): void {
  const { pixels, format, shown } = instance;
  if (pixels === undefined) {
    throw new CohortflowError('TruncatedPixelData', `${shown}: the file has no pixel data. Fetch it again.`);
  }
  const needed = Math.ceil(frameBytes(format) * format.frames);
  const available = Math.min(
    pixels.length ?? Infinity,
    instance.deflated ? Infinity : instance.fileSize - pixels.offset,
  );
  if (available < needed) {
    throw new CohortflowError(
      'TruncatedPixelData',
      `${shown}: ${Math.max(0, available)} of ${needed} bytes of pixel data are there. Fetch the file again.`,
      { bytes: Math.max(0, available), needed },
    );
  }
}
