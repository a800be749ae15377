import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseParameterText } from '../../../../src/domain/radiomics/parameter-text.js';
import { featureNames, parseRadiomicsSettings } from '../../../../src/domain/radiomics/index.js';

/** The settings of a parameter file. */
function settingsOf(text: string): ReturnType<typeof parseRadiomicsSettings> {
  return parseRadiomicsSettings((parseParameterText(text) ?? {}) as Record<string, unknown>);
}

describe('pyradiomics parameter files', () => {
  it('gives the defaults of pyradiomics for an empty file', () => {
    const settings = settingsOf('');
    expect(settings.imageTypes).toEqual([
      {
        name: 'Original',
        binning: { width: 25 },
        texture: { neighbourhood: { distances: [1] }, symmetrical: true, dependence: 0, shift: 0 },
      },
    ]);
    expect(settings).toMatchObject({ minimumDimensions: 2, padDistance: 5, preCrop: false });
    expect(Object.values(settings.features).flat()).toHaveLength(107);
    expect(settings).not.toHaveProperty('resample');
  });

  it('takes every key that pyradiomics documents for a segment', () => {
    const settings = settingsOf(`
imageType: { Original: {}, LoG: { sigma: [1.0, 3] }, Wavelet: { wavelet: db2, level: 2, start_level: 1 } }
featureClass: { firstorder: [], glcm: [Contrast, MCC], shape: null }
setting:
  minimumROIDimensions: 1
  minimumROISize: 10
  geometryTolerance: 0.001
  correctMask: true
  additionalInfo: false
  label: 1
  binWidth: 0.5
  normalize: true
  normalizeScale: 100
  removeOutliers: 3
  resampledPixelSpacing: [1, 1, 0]
  interpolator: sitkLinear
  padDistance: 10
  distances: [1, 2]
  force2D: true
  force2Ddimension: 0
  resegmentRange: [400, -100]
  resegmentMode: sigma
  resegmentShape: true
  preCrop: true
  voxelArrayShift: 1000
  symmetricalGLCM: false
  weightingNorm: euclidean
  gldm_a: 1
  lbp2DRadius: 1
`);
    expect(settings).toMatchObject({
      flatAxis: 2,
      minimumDimensions: 1,
      minimumSize: 10,
      normalise: { scale: 100, outliers: 3 },
      resample: { spacing: [1, 1, 0], interpolator: 'sitkLinear' },
      resegment: { range: [-100, 400], mode: 'sigma', shape: true },
      padDistance: 10,
      preCrop: true,
    });
    expect(settings.features).toMatchObject({ glcm: ['Contrast', 'MCC'] });
    expect(settings.features.firstorder).toHaveLength(18);
    expect(settings.features.shape).toHaveLength(14);
    const texture = {
      neighbourhood: { distances: [1, 2], flatAxis: 2 },
      weighting: 'euclidean',
      symmetrical: false,
      dependence: 1,
      shift: 1000,
    };
    expect(settings.imageTypes).toEqual([
      { name: 'Original', binning: { width: 0.5 }, texture },
      { name: 'LoG', binning: { width: 0.5 }, texture, sigma: [1, 3], sigmaTexts: ['1.0', '3'] },
      { name: 'Wavelet', binning: { width: 0.5 }, texture, wavelet: 'db2', level: 2, startLevel: 1 },
    ]);
  });

  it('names LoG images by the text of their sigma, as pyradiomics does', () => {
    const texts = (text: string): unknown => settingsOf(text).imageTypes[0]!.sigmaTexts;
    expect(texts('imageType: { LoG: { sigma: [2, 2.0, 2.50, 0.5] } }')).toEqual(['2', '2.0', '2.5', '0.5']);
    expect(texts('{ "imageType": { "LoG": { "sigma": 4 } } }')).toEqual(['4']);
    expect(texts('imageType: { LoG: {} }\nsetting: { sigma: [3] }')).toEqual(['3']);
    // A document that was parsed by anything else has lost the difference; files mostly write 2.0.
    const parsed = parse('imageType: { LoG: { sigma: [2.0] } }') as Record<string, unknown>;
    expect(parseRadiomicsSettings(parsed).imageTypes[0]!.sigmaTexts).toEqual(['2.0']);
  });

  it('reads text as PyYAML does: words for true, a key twice', () => {
    const settings = settingsOf('featureClass:\n  shape: [Sphericity]\n  shape:\nsetting:\n  preCrop: yes\n');
    expect(settings.preCrop).toBe(true);
    expect(settings.features.shape!.length).toBe(14);
  });

  it('lets an image type have its own bins and texture settings', () => {
    const [original, square] = settingsOf(`
imageType: { Original: {}, Square: { binWidth: 5, distances: [2], gldm_a: 3 } }
setting: { binWidth: 10, voxelArrayShift: 7 }
`).imageTypes;
    expect(original).toMatchObject({
      binning: { width: 10 },
      texture: { neighbourhood: { distances: [1] }, shift: 7 },
    });
    expect(square).toMatchObject({
      binning: { width: 5 },
      texture: { neighbourhood: { distances: [2] }, dependence: 3, shift: 7 },
    });
  });

  it('lets a count of bins outrank a width wherever each is given', () => {
    const [type] = settingsOf('imageType: { Square: { binWidth: 5 } }\nsetting: { binCount: 16 }').imageTypes;
    expect(type!.binning).toEqual({ count: 16 });
  });

  it('does not resample when the interpolator is null, and knows interpolators by number', () => {
    const resample = (interpolator: string): unknown =>
      settingsOf(`setting: { resampledPixelSpacing: [2, 2, 2], interpolator: ${interpolator} }`).resample;
    expect(resample('null')).toBeUndefined();
    expect(resample('1')).toMatchObject({ interpolator: 'sitkNearestNeighbor' });
    expect(resample('3')).toMatchObject({ interpolator: 'sitkBSpline' });
    expect(settingsOf('setting: { resampledPixelSpacing: [2, 2, 2] }').resample).toMatchObject({
      interpolator: 'sitkBSpline',
    });
  });

  it.each([
    ['voxelSetting: { kernelRadius: 2 }', 'voxelSetting'],
    ['setting: { interpolator: sitkGaussian }', 'setting.interpolator'],
    ['setting: { label: 2 }', 'setting.label'],
    ['setting: { label_channel: 1 }', 'setting.label_channel'],
    ['imageType: { LBP2D: {} }', 'imageType.LBP2D'],
    ['imageType: { LBP3D: {} }', 'imageType.LBP3D'],
    ['imageType: { Square: { normalize: true } }', 'imageType.Square.normalize'],
  ])('refuses %s by name as not supported', (text, key) => {
    expect(() => settingsOf(text)).toThrow(
      expect.objectContaining({ code: 'UnsupportedRadiomicsSetting', message: expect.stringContaining(key) }),
    );
  });

  it.each([
    ['settings: { binWidth: 25 }', 'settings'],
    ['setting: { binwidth: 25 }', 'setting.binwidth'],
    ['setting: { binWidth: 0 }', 'setting.binWidth'],
    ['setting: { binWidth: wide }', 'setting.binWidth'],
    ['setting: { binCount: 2.5 }', 'setting.binCount'],
    ['setting: { distances: [] }', 'setting.distances'],
    ['setting: { distances: [0] }', 'setting.distances'],
    ['setting: { weightingNorm: cubic }', 'setting.weightingNorm'],
    ['setting: { force2D: 1 }', 'setting.force2D'],
    ['setting: { force2Ddimension: 3 }', 'setting.force2Ddimension'],
    ['setting: { resegmentRange: [1, 2, 3] }', 'setting.resegmentRange'],
    ['setting: { resegmentMode: median }', 'setting.resegmentMode'],
    ['setting: { resampledPixelSpacing: [1, 1] }', 'setting.resampledPixelSpacing'],
    ['setting: { minimumROIDimensions: 4 }', 'setting.minimumROIDimensions'],
    ['setting: { padDistance: -1 }', 'setting.padDistance'],
    ['setting: 5', 'setting'],
    ['imageType: { Sharpened: {} }', 'imageType.Sharpened'],
    ['imageType: { LoG: {} }', 'imageType.LoG.sigma'],
    ['imageType: { LoG: { sigma: [0] } }', 'imageType.LoG.sigma'],
    ['imageType: { LoG: { sigma: [] } }', 'imageType.LoG.sigma'],
    ['imageType: { Wavelet: { wavelet: mexican } }', 'imageType.Wavelet.wavelet'],
    ['imageType: { Wavelet: { level: 0 } }', 'imageType.Wavelet.level'],
    ['imageType: { Original: { sigma: [2] } }', 'imageType.Original.sigma'],
    ['featureClass: { texture: [] }', 'featureClass.texture'],
    ['featureClass: { glcm: [Contrasts] }', 'featureClass.glcm'],
  ])('refuses %s by name as not valid', (text, key) => {
    expect(() => settingsOf(text)).toThrow(
      expect.objectContaining({ code: 'InvalidRadiomicsSetting', message: expect.stringContaining(`${key}:`) }),
    );
  });
});

describe('feature sets', () => {
  it('has the 107 features of pyradiomics by default', () => {
    expect(new Set(featureNames('default')).size).toBe(107);
    expect(featureNames('default').some((name) => name.includes('shape2D'))).toBe(false);
  });

  it('has the 120 features of the original article in its families', () => {
    const names = featureNames('seed');
    const count = (family: string): number => names.filter((name) => name.startsWith(`original_${family}_`)).length;
    const families = ['firstorder', 'shape', 'shape2D', 'glcm', 'glrlm', 'glszm', 'ngtdm', 'gldm'];
    expect(families.map(count)).toEqual([19, 16, 10, 24, 16, 16, 5, 14]);
    expect(names).toHaveLength(120);
    expect(names).toEqual(
      expect.arrayContaining([
        'original_firstorder_StandardDeviation',
        'original_shape_Compactness1',
        'original_shape_Compactness2',
        'original_shape2D_SphericalDisproportion',
      ]),
    );
  });
});
