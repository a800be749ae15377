import { CohortflowError } from '../../domain/errors.js';
import type { Frame } from '../../domain/dicom/frame.js';
import { rescaleInto } from '../../domain/dicom/pixels/rescale.js';
import type { Warning } from '../../domain/dicom/warning.js';
import type { Geometry } from '../../domain/geometry/volume.js';
import { allocateNifti } from '../../domain/nifti/write.js';
import type { PixelReader } from './read-pixels.js';

/** The converted image as a NIfTI file in memory. */
export interface ConvertedImage {
  readonly bytes: Uint8Array;
  readonly type: 'int16' | 'float32';
  readonly warnings: readonly Warning[];
}

/** Slices read at a time; while some are read from disk, another one is rescaled. */
const AT_ONCE = 4;

async function fill(
  frames: readonly Frame[],
  data: Int16Array | Float32Array,
  reader: PixelReader,
  progress: (message: string) => void,
): Promise<boolean> {
  let next = 0;
  let done = 0;
  const misfits: number[] = [];
  const failures = new Map<number, unknown>();
  const work = async (): Promise<void> => {
    for (let k = next++; k < frames.length && misfits.length + failures.size === 0; k = next++) {
      const { instance, index, slope, intercept } = frames[k]!;
      try {
        const samples = await reader.samples(instance, index);
        if (!rescaleInto(samples, slope, intercept, data, k * samples.length)) misfits.push(k);
      } catch (error) {
        failures.set(k, error);
      }
      if (++done % 20 === 0 || done === frames.length) progress(`slice ${done} of ${frames.length}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, frames.length) }, work));
  // The lowest slice speaks, so that the same study fails with the same message whichever file was read first.
  if (failures.size > 0) throw failures.get(Math.min(...failures.keys()));
  return misfits.length === 0;
}

/** A CT of which some images have a rescale and some have none would jump by the intercept from slice to slice. */
function checkRescale(frames: readonly Frame[]): void {
  const raw = frames.filter(({ rescaled }) => !rescaled);
  const changes = frames.some(({ slope, intercept }) => slope !== 1 || intercept !== 0);
  if (raw.length === 0 || !changes || raw[0]!.instance.modality !== 'CT') return;
  throw new CohortflowError(
    'DamagedDicom',
    `${raw[0]!.instance.shown}: ${raw.length} of ${frames.length} images of the series have no rescale, the others have one. Fetch the series again.`,
    { without: raw.length, images: frames.length },
  );
}

function headerWarnings(frames: readonly Frame[]): Warning[] {
  const warnings: Warning[] = [];
  const warn = (code: string, message: string): void => void warnings.push({ code, message });
  const raw = frames.filter(({ rescaled }) => !rescaled);
  const isCt = frames[0]!.instance.modality === 'CT';
  if (raw.length > 0 && isCt)
    warn('NoRescale', `${raw.length} image(s) have no rescale; stored values were taken as HU.`);
  const type = frames
    .map(({ rescaleType }) => rescaleType)
    .find((value) => value !== undefined && value !== '' && value !== 'HU');
  if (type !== undefined && isCt) warn('NotHounsfield', `RescaleType is "${type}", not HU.`);
  if (new Set(frames.map(({ slope, intercept }) => `${slope} ${intercept}`)).size > 1 && isCt) {
    warn(
      'RescaleVaries',
      'Slope or intercept of the rescale vary from slice to slice; each slice was rescaled by its own.',
    );
  }
  if (frames.some(({ instance }) => instance.dataset.text('00282110') === '01')) {
    warn('LossyCompression', 'The images were compressed with loss; texture features are affected.');
  }
  return warnings;
}

/**
 * Reads, rescales and stacks the frames (given in slice order) into a NIfTI volume: 16-bit integers when every value is
 * whole and fits, else 32-bit reals. Padding values are kept as they are.
 *
 * Throws what the {@link PixelReader} throws, `UnsupportedPixelFormat` for images with a modality look-up table, and
 * `DamagedDicom` for a CT of which only some images have a rescale.
 */
export async function convertImage(
  frames: readonly Frame[],
  geometry: Geometry,
  reader: PixelReader,
  progress: (message: string) => void,
): Promise<ConvertedImage> {
  for (const { instance, rescaled } of frames) {
    if (!rescaled && instance.dataset.has('00283000')) {
      throw new CohortflowError(
        'UnsupportedPixelFormat',
        `${instance.shown}: values are given by a look-up table instead of a rescale.`,
      );
    }
    if (geometry.size.some((length) => length > 32767)) {
      throw new CohortflowError(
        'UnsupportedPixelFormat',
        `a volume of ${geometry.size.join(' × ')} voxels does not fit the NIfTI format.`,
      );
    }
  }
  checkRescale(frames);
  const warnings = headerWarnings(frames);
  const whole = frames.every(({ slope, intercept }) => Number.isInteger(slope) && Number.isInteger(intercept));
  if (whole) {
    const { bytes, data } = allocateNifti(geometry, 'int16');
    if (await fill(frames, data, reader, progress)) return { bytes, type: 'int16', warnings };
  }
  const { bytes, data } = allocateNifti(geometry, 'float32');
  await fill(frames, data, reader, progress);
  return { bytes, type: 'float32', warnings };
}
