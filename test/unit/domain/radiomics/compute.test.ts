import { describe, expect, it } from 'vitest';
import type { Vec3, Volume, VoxelArray } from '../../../../src/domain/geometry/volume.js';
import { NULL_REASONS, computeRadiomics, parseRadiomicsSettings } from '../../../../src/domain/radiomics/index.js';

const SIZE: Vec3 = [10, 10, 10];
const VOXELS = 1000;

function volume<A extends VoxelArray>(data: A, size: Vec3 = SIZE): Volume<A> {
  const directions = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ] as const;
  return { geometry: { size, spacing: [1, 1, 1], origin: [0, 0, 0], directions }, data };
}

/** Numbers in [0, 1) without pattern, the same in every run. */
function noise(count: number): number[] {
  let state = 7;
  return Array.from({ length: count }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 2147483648;
  });
}

const everywhere = volume(new Uint8Array(VOXELS).fill(1));
const speckled = volume(
  Int16Array.from(noise(VOXELS), (value) => Math.floor(value * 500)),
  SIZE,
);

describe('computeRadiomics', () => {
  it('gives every null a reason from the list, and no value that is not finite', () => {
    const images = {
      flat: new Int16Array(VOXELS).fill(5),
      zero: new Int16Array(VOXELS),
      'with a hole in its numbers': Float64Array.from(noise(VOXELS), (value, at) => (at === 55 ? NaN : value)),
      'with an infinite value': Float32Array.from(noise(VOXELS), (value, at) => (at === 55 ? Infinity : value)),
      tiny: Float64Array.from(noise(VOXELS), (value) => value * 1e-12),
    };
    const filters = { Original: {}, Square: {}, SquareRoot: {}, Logarithm: {}, Exponential: {}, Gradient: {} };
    const settings = parseRadiomicsSettings({ imageType: { ...filters, Wavelet: {}, LoG: { sigma: [1] } } }, 'seed');
    for (const [name, data] of Object.entries(images)) {
      const { features, nullReasons } = computeRadiomics(volume(data), everywhere, settings);
      const values = Object.entries(features);
      expect(
        values.filter(([, value]) => value !== null && !Number.isFinite(value)),
        name,
      ).toEqual([]);
      expect(Object.keys(nullReasons), name).toEqual(values.filter(([, value]) => value === null).map(([key]) => key));
      for (const { code, text } of Object.values(nullReasons)) expect(NULL_REASONS[code]).toBe(text);
    }
  });

  it('keeps the shape of a region in which a grey value is not a number', () => {
    const data = Float64Array.from(noise(VOXELS), (value, at) => (at === 55 ? NaN : value));
    const { features, nullReasons } = computeRadiomics(volume(data), everywhere, parseRadiomicsSettings());
    expect(features['original_shape_VoxelVolume']).toBe(VOXELS);
    expect(features['original_firstorder_Mean']).toBeNull();
    expect(nullReasons['original_glcm_Contrast']?.code).toBe('NotANumber');
    expect(Object.keys(nullReasons)).toHaveLength(107 - 14);
  });

  it('refuses a mask on another grid, an empty mask and a single voxel', () => {
    const code = (mask: Volume): unknown => {
      try {
        computeRadiomics(speckled, mask, parseRadiomicsSettings({ setting: { minimumROIDimensions: 1 } }));
      } catch (error) {
        return (error as { code?: unknown }).code;
      }
      return undefined;
    };
    expect(code(volume(new Uint8Array(900).fill(1), [10, 10, 9]))).toBe('GeometryMismatch');
    expect(code(volume(new Uint8Array(VOXELS)))).toBe('EmptyMask');
    expect(code(volume(new Uint8Array(VOXELS).fill(1, 555, 556)))).toBe('RoiTooSmall');
  });

  it('says at which step the region lost its last voxel', () => {
    const corner = volume(
      Uint8Array.from({ length: VOXELS }, (_, at) => (at % 10 > 7 && at % 100 > 79 && at < 200 ? 1 : 0)),
    );
    const failure = (setting: object): unknown => {
      try {
        computeRadiomics(speckled, corner, parseRadiomicsSettings({ setting }));
      } catch (error) {
        return error;
      }
      return undefined;
    };
    expect(failure({ resampledPixelSpacing: [9, 9, 9] })).toMatchObject({
      code: 'EmptyMask',
      message: expect.stringContaining('9 × 9 × 9 mm') as string,
    });
    expect(failure({ resegmentRange: [5000, 6000] })).toMatchObject({
      code: 'EmptyMask',
      message: expect.stringContaining('resegmentRange') as string,
    });
    expect(failure({ resampledPixelSpacing: [1e-4, 1e-4, 1e-4] })).toMatchObject({
      code: 'InvalidRadiomicsSetting',
      message: expect.stringContaining('voxels') as string,
    });
  });

  it('keeps the kind of number of an image that is resampled, as ITK does', () => {
    // A hard edge between 0 and 200: a spline overshoots on both sides.
    const edge = Array.from({ length: VOXELS }, (_, at) => (at % 10 < 5 ? 0 : 200));
    const range = (data: VoxelArray): number[] => {
      const { features } = computeRadiomics(
        volume(data),
        everywhere,
        parseRadiomicsSettings({ setting: { resampledPixelSpacing: [0.7, 1, 1] }, featureClass: { firstorder: null } }),
      );
      return ['Minimum', 'Maximum'].map((name) => features[`original_firstorder_${name}`]!);
    };
    const [lowest, highest] = range(Float64Array.from(edge)) as [number, number];
    expect(lowest).toBeLessThan(-5);
    expect(Number.isInteger(lowest)).toBe(false);
    expect(range(Float32Array.from(edge))).toEqual([Math.fround(lowest), Math.fround(highest)]);
    expect(range(Int16Array.from(edge))).toEqual([Math.trunc(lowest), Math.trunc(highest)]);
    expect(range(Uint8Array.from(edge))).toEqual([0, Math.trunc(highest)]);
    expect(range(Uint8Array.from(edge, (value) => value && 255))).toEqual([0, 255]);
  });

  it('takes every voxel of the mask that is not zero, whatever its type', () => {
    const marks = Float32Array.from({ length: VOXELS }, (_, at) => (at % 3 === 0 ? 7.5 : 0));
    const { features, roiVoxels } = computeRadiomics(speckled, volume(marks), parseRadiomicsSettings());
    expect(roiVoxels).toBe(334);
    expect(features['original_shape_VoxelVolume']).toBe(334);
  });

  it('measures thousands of grey levels in seconds', () => {
    const size: Vec3 = [20, 20, 20];
    const data = Float32Array.from(noise(8000), (value) => value * 60_000);
    const mask = volume(new Uint8Array(8000).fill(1), size);
    const { features } = computeRadiomics(
      volume(data, size),
      mask,
      parseRadiomicsSettings({ setting: { binWidth: 1 } }),
    );
    expect(Object.values(features).filter((value) => value === null)).toEqual([]);
    // All eigenvalues of matrices of this size would take hours.
  }, 60_000);

  it('refuses more grey levels than can be held and says what to change', () => {
    const data = Float64Array.from(noise(VOXELS), (value) => value * 1e30);
    expect(() => computeRadiomics(volume(data), everywhere, parseRadiomicsSettings())).toThrow(
      expect.objectContaining({ code: 'TooManyGrayLevels' }),
    );
  });

  it('stops between families when it is told to', () => {
    const controller = new AbortController();
    const seen: string[] = [];
    const progress = (message: string): void => {
      seen.push(message);
      if (message.includes('original')) controller.abort();
    };
    const settings = parseRadiomicsSettings({ imageType: { Original: {}, Square: {} } });
    const options = { signal: controller.signal, progress };
    expect(() => computeRadiomics(speckled, everywhere, settings, options)).toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
    expect(seen).toEqual(['shape', 'features of the original image']);
  });

  it('finds the longest distance across a large region without comparing all its surface', () => {
    const size: Vec3 = [120, 120, 120];
    const mask = new Uint8Array(120 ** 3);
    for (let at = 0; at < mask.length; at += 1) {
      const [i, j, k] = [at % 120, Math.floor(at / 120) % 120, Math.floor(at / 14_400)];
      if ((i - 60) ** 2 + (j - 60) ** 2 + (k - 60) ** 2 <= 55 ** 2) mask[at] = 1;
    }
    const image = volume(new Int16Array(120 ** 3), size);
    const settings = parseRadiomicsSettings({ featureClass: { shape: ['Maximum3DDiameter', 'Sphericity'] } });
    const { features } = computeRadiomics(image, volume(mask, size), settings);
    expect(features['original_shape_Maximum3DDiameter']).toBeCloseTo(111, 0);
  }, 60_000);
});
