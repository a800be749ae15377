import { checkPixelFormat, frameBytes, type Instance } from '../../domain/dicom/instance.js';
import { CohortflowError } from '../../domain/errors.js';
import { scan } from '../../domain/dicom/layout.js';
import { decodeFrame, isUncompressed } from '../../domain/dicom/pixels/codecs.js';
import { splitFrames } from '../../domain/dicom/pixels/fragments.js';
import { inflateRaw } from '../../domain/dicom/pixels/inflate.js';
import {
  checkNativeLength,
  samplesOf,
  swapBytes,
  unpackBits,
  type StoredSamples,
} from '../../domain/dicom/pixels/samples.js';
import type { StepIo } from '../step.js';

/** Frames of one multi-frame object that are held while they are used, so that a file is not read once per frame. */
interface Held {
  readonly path: string;
  /** Native: the bytes of all pixel data. */
  readonly native?: Promise<Uint8Array>;
  /** Of a deflated file: the data set. */
  readonly inflated?: Promise<Uint8Array>;
  /** Compressed: the stream of each frame. */
  readonly streams?: Promise<readonly Uint8Array[]>;
}

/**
 * Reads pixels by offset, frame by frame. Single-frame files are read and forgotten; of multi-frame objects the compressed
 * bytes (or the bits of a segmentation, or what a deflated file holds) are kept until the next object is asked for.
 */
export class PixelReader {
  private held: Held | undefined;

  constructor(
    private readonly io: StepIo,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * The stored values of one frame, sign-extended, before rescale; of one-bit objects 0 and 1.
   *
   * Throws `TruncatedPixelData`, `DamagedDicom`, `UnsupportedTransferSyntax`, `UnsupportedPixelFormat`, naming the file.
   */
  async samples(instance: Instance, index: number): Promise<StoredSamples> {
    this.signal.throwIfAborted();
    checkPixelFormat(instance);
    return isUncompressed(instance.transferSyntax) ? this.native(instance, index) : this.compressed(instance, index);
  }

  private async read(instance: Instance, offset: number, length: number): Promise<Uint8Array> {
    const source = await this.io.files.open(instance.path);
    try {
      return await source.read(offset, length);
    } finally {
      await source.close();
    }
  }

  /** Bytes of the pixel data from `offset` (relative to their start). */
  private async pixelBytes(instance: Instance, offset: number, length: number): Promise<Uint8Array> {
    const start = instance.pixels?.offset ?? 0;
    if (!instance.deflated) return this.read(instance, start + offset, length);
    const held = this.held?.path === instance.path ? this.held.inflated : undefined;
    const inflated = held ?? this.inflate(instance);
    if (instance.format.frames > 1) this.held = { path: instance.path, inflated };
    return (await inflated).slice(start + offset, start + offset + length);
  }

  private async inflate(instance: Instance): Promise<Uint8Array> {
    const whole = await this.read(instance, 0, instance.fileSize);
    const found = scan(whole, whole.length);
    return found.kind === 'deflated' ? inflateRaw(whole.subarray(found.offset), instance.shown) : whole;
  }

  private async native(instance: Instance, index: number): Promise<StoredSamples> {
    checkNativeLength(instance);
    const { format, shown, encoding, pixels } = instance;
    const pixelCount = format.rows * format.columns;
    if (format.bitsAllocated === 1) {
      const total = Math.ceil(frameBytes(format) * format.frames);
      if (this.held?.path !== instance.path || this.held.native === undefined) {
        const padded = total + (total % 2);
        this.held = {
          path: instance.path,
          native: this.pixelBytes(instance, 0, padded).then((bytes) => {
            // Words of a big-endian file hold the bits of their second byte first.
            if (!encoding.littleEndian && pixels?.vr === 'OW') swapBytes(bytes, 2);
            return bytes;
          }),
        };
      }
      const bits = await this.held.native!;
      this.expect(bits.length, total, shown);
      return unpackBits(bits, index * pixelCount, pixelCount);
    }
    const size = frameBytes(format);
    // 8-bit pixels in OW of a big-endian file are swapped in pairs: read from an even offset on.
    const swappedPairs = !encoding.littleEndian && format.bitsAllocated === 8 && pixels?.vr === 'OW';
    const lead = swappedPairs ? (index * size) % 2 : 0;
    const wanted = size + lead + (swappedPairs ? (size + lead) % 2 : 0);
    const bytes = await this.pixelBytes(instance, index * size - lead, wanted);
    this.expect(bytes.length, size + lead, shown);
    if (!encoding.littleEndian && format.bitsAllocated > 8) swapBytes(bytes, format.bitsAllocated === 32 ? 4 : 2);
    if (swappedPairs) swapBytes(bytes, 2);
    return samplesOf(bytes.subarray(lead, lead + size), format);
  }

  private async compressed(instance: Instance, index: number): Promise<StoredSamples> {
    const { format, shown, pixels } = instance;
    if (pixels === undefined) {
      throw new CohortflowError('TruncatedPixelData', `${shown}: the file has no pixel data. Fetch it again.`);
    }
    if (pixels.length !== undefined) {
      throw new CohortflowError(
        'DamagedDicom',
        `${shown}: compressed pixel data are not encapsulated. Fetch the file again.`,
      );
    }
    if (this.held?.path !== instance.path || this.held.streams === undefined) {
      const streams = this.read(instance, pixels.offset, instance.fileSize - pixels.offset).then((bytes) =>
        splitFrames(bytes, format.frames, shown),
      );
      if (format.frames > 1) this.held = { path: instance.path, streams };
      else return this.decoded(await streams, 0, instance);
    }
    return this.decoded(await this.held.streams!, index, instance);
  }

  private async decoded(streams: readonly Uint8Array[], index: number, instance: Instance): Promise<StoredSamples> {
    const { format, shown } = instance;
    const stream = streams[index];
    if (stream === undefined) {
      throw new CohortflowError(
        'TruncatedPixelData',
        `${shown}: frame ${index + 1} of ${format.frames} is not there. Fetch the file again.`,
      );
    }
    const bytes = await decodeFrame(stream, instance);
    const pixelCount = format.rows * format.columns;
    if (format.bitsAllocated === 1) {
      // Coded either as one byte a pixel or with the bits of the frame packed.
      if (bytes.length >= pixelCount) return bytes.slice(0, pixelCount);
      this.expect(bytes.length, Math.ceil(pixelCount / 8), shown);
      return unpackBits(bytes, 0, pixelCount);
    }
    const size = frameBytes(format);
    this.expect(bytes.length, size, shown);
    return samplesOf(bytes.subarray(0, size), format);
  }

  private expect(found: number, needed: number, shown: string): void {
    if (found >= needed) return;
    throw new CohortflowError(
      'TruncatedPixelData',
      `${shown}: ${found} of ${needed} bytes of pixel data are there. Fetch the file again.`,
      {
        bytes: found,
        needed,
      },
    );
  }
}
