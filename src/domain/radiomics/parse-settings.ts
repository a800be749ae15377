import { CohortflowError } from '../errors.js';
import type { Binning } from './discretise.js';
import type { TextureSettings } from './family.js';
import { WAVELETS } from './filters/wavelet-filters.js';
import { IMAGE_TYPES, type ImageTypeName, type ImageTypeRequest } from './filters/image-type.js';
import { FAMILIES, featuresOfSet, type FamilyName, type FeatureSet } from './registry.js';
import type { RadiomicsSettings } from './settings.js';

type Document = Readonly<Record<string, unknown>>;

function invalid(key: string, wanted: string): never {
  throw new CohortflowError('InvalidRadiomicsSetting', `${key}: ${wanted}`, { key });
}

function unsupported(key: string, why: string): never {
  throw new CohortflowError('UnsupportedRadiomicsSetting', `${key}: ${why}`, { key });
}

function mapping(value: unknown, key: string): Document {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) invalid(key, 'a mapping is wanted');
  return value as Document;
}

/** Reads single keys of the `setting` part, remembering which were read so that the rest can be named. */
class Reader {
  private readonly left: Set<string>;

  constructor(
    private readonly document: Document,
    private readonly name: string,
  ) {
    this.left = new Set(Object.keys(document));
  }

  private take(key: string): unknown {
    this.left.delete(key);
    return this.document[key] ?? undefined;
  }

  number(key: string, test: (value: number) => boolean, wanted: string): number | undefined {
    const value = this.take(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isFinite(value) || !test(value)) invalid(`${this.name}.${key}`, wanted);
    return value;
  }

  flag(key: string, otherwise = false): boolean {
    const value = this.take(key);
    if (value === undefined) return otherwise;
    if (typeof value !== 'boolean') invalid(`${this.name}.${key}`, 'true or false is wanted');
    return value;
  }

  numbers(key: string, test: (values: readonly number[]) => boolean, wanted: string): readonly number[] | undefined {
    const value = this.take(key);
    if (value === undefined) return undefined;
    const list: unknown[] = Array.isArray(value) ? value : [value];
    const good = list.every((item): item is number => typeof item === 'number' && Number.isFinite(item));
    if (!good || !test(list)) invalid(`${this.name}.${key}`, wanted);
    return list;
  }

  choice<T extends string>(key: string, choices: readonly T[]): T | undefined {
    const value = this.take(key);
    if (value === undefined) return undefined;
    if (!choices.includes(value as T)) invalid(`${this.name}.${key}`, `one of ${choices.join(', ')} is wanted`);
    return value as T;
  }

  /** The value as it is, for the caller to judge. */
  any(key: string): unknown {
    return this.take(key);
  }

  /** True when the key is there with no value: YAML's null, by which pyradiomics switches some things off. */
  isNull(key: string): boolean {
    return this.document[key] === null;
  }

  /** Keys that pyradiomics knows and that change nothing here, because there is nothing they could change. */
  accept(...keys: readonly string[]): void {
    for (const key of keys) this.left.delete(key);
  }

  refuse(key: string, why: string): void {
    if (this.take(key) !== undefined) unsupported(`${this.name}.${key}`, why);
  }

  /** Names what is left over: a typing error must not pass as a default. */
  finish(): void {
    const [unknown] = this.left;
    if (unknown !== undefined) invalid(`${this.name}.${unknown}`, 'is not a pyradiomics setting');
  }
}

const positive = (value: number): boolean => value > 0;
const counting = (value: number): boolean => Number.isInteger(value) && value >= 1;
const wholeFrom0 = (value: number): boolean => Number.isInteger(value) && value >= 0;

const DEFAULT_BINNING: Binning = { width: 25 };

/** Settings of the whole extraction, by which an image type cannot differ. */
const SETTING_KEYS: ReadonlySet<string> = new Set([
  'minimumROIDimensions',
  'minimumROISize',
  'geometryTolerance',
  'correctMask',
  'additionalInfo',
  'label',
  'label_channel',
  'normalize',
  'normalizeScale',
  'removeOutliers',
  'resampledPixelSpacing',
  'interpolator',
  'padDistance',
  'force2D',
  'force2Ddimension',
  'resegmentRange',
  'resegmentMode',
  'resegmentShape',
  'preCrop',
]);

function binningOf(reader: Reader): Binning | undefined {
  const width = reader.number('binWidth', positive, 'a number above 0 is wanted');
  const count = reader.number('binCount', counting, 'a whole number from 1 is wanted');
  // As pyradiomics: a count outranks a width.
  if (count !== undefined) return { count };
  return width === undefined ? undefined : { width };
}

/** Settings that a filter reads; under `setting` they are its defaults. */
const FILTER_KEYS: Readonly<Partial<Record<ImageTypeName, readonly string[]>>> = {
  LoG: ['sigma'],
  Wavelet: ['wavelet', 'level', 'start_level'],
  Gradient: ['gradientUseSpacing'],
};

/** Settings that an image type may have its own way. */
const PER_IMAGE = [
  'binWidth',
  'binCount',
  'distances',
  'weightingNorm',
  'symmetricalGLCM',
  'gldm_a',
  'voxelArrayShift',
] as const;

/** Settings of local binary patterns, which have nothing to change as long as these are not asked for. */
const PATTERN_KEYS = [
  'lbp2DRadius',
  'lbp2DSamples',
  'lbp2DMethod',
  'lbp3DLevels',
  'lbp3DIcosphereRadius',
  'lbp3DIcosphereSubdivision',
] as const;

/** Standard deviations with the text that names their images: `2` and `2.0` are two names in pyradiomics. */
function sigmasOf(value: unknown): Pick<ImageTypeRequest, 'sigma' | 'sigmaTexts'> {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const sigma = list.map((item) => (typeof item === 'string' && /^\d+$/.test(item) ? Number(item) : item));
  const key = 'imageType.LoG.sigma';
  if (value === undefined || value === null) invalid(key, 'is missing: a list of standard deviations in mm is wanted');
  const good = sigma.every((item): item is number => typeof item === 'number' && Number.isFinite(item) && item > 0);
  if (!good || sigma.length === 0) invalid(key, 'numbers above 0 are wanted');
  const sigmaTexts = list.map((item, at) => {
    const mm = sigma[at]!;
    return typeof item === 'string' ? item : Number.isInteger(mm) ? mm.toFixed(1) : String(mm);
  });
  return { sigma, sigmaTexts };
}

function imageTypeOf(name: string, shared: Document, own: Document, flatAxis: number | undefined): ImageTypeRequest {
  if (!IMAGE_TYPES.includes(name as ImageTypeName)) {
    if (name === 'LBP2D' || name === 'LBP3D')
      unsupported(`imageType.${name}`, 'local binary patterns are not computed');
    invalid(`imageType.${name}`, `one of ${IMAGE_TYPES.join(', ')} is wanted`);
  }
  const type = name as ImageTypeName;
  const keys = [...PER_IMAGE, ...(FILTER_KEYS[type] ?? [])];
  for (const key of Object.keys(own)) {
    if (!keys.includes(key) && SETTING_KEYS.has(key))
      unsupported(`imageType.${name}.${key}`, 'it cannot differ between image types; put it under setting');
  }
  const inherited = Object.fromEntries(keys.filter((key) => key in shared).map((key) => [key, shared[key]]));
  const options: Document = { ...inherited, ...own };
  const reader = new Reader(options, `imageType.${name}`);
  const common = { name: type, binning: binningOf(reader) ?? DEFAULT_BINNING, texture: textureOf(reader, flatAxis) };
  reader.accept(...(FILTER_KEYS[type] ?? []));
  reader.finish();
  if (type === 'LoG') return { ...common, ...sigmasOf(options['sigma']) };
  const filter = new Reader(options, `imageType.${name}`);
  if (type === 'Wavelet') {
    const wavelet = filter.choice('wavelet', WAVELETS) ?? 'coif1';
    const level = filter.number('level', counting, 'a whole number from 1 is wanted') ?? 1;
    const startLevel = filter.number('start_level', wholeFrom0, 'a whole number from 0 is wanted') ?? 0;
    return { ...common, wavelet, level, startLevel };
  }
  return type === 'Gradient' ? { ...common, useSpacing: filter.flag('gradientUseSpacing', true) } : common;
}

function imageTypesOf(document: Document, flatAxis: number | undefined): readonly ImageTypeRequest[] {
  const types = mapping(document['imageType'], 'imageType');
  const shared = mapping(document['setting'], 'setting');
  const names = Object.keys(types);
  return (names.length === 0 ? ['Original'] : names).map((name) =>
    imageTypeOf(name, shared, mapping(types[name], `imageType.${name}`), flatAxis),
  );
}

function featuresOf(document: Document, set: FeatureSet): RadiomicsSettings['features'] {
  const classes = mapping(document['featureClass'], 'featureClass');
  if (Object.keys(classes).length === 0) {
    const all = FAMILIES.map((family) => [family.name, featuresOfSet(family, set)] as const);
    return Object.fromEntries(all.filter(([, names]) => names.length > 0));
  }
  const chosen: Partial<Record<FamilyName, readonly string[]>> = {};
  for (const [name, wanted] of Object.entries(classes)) {
    const family = FAMILIES.find((candidate) => candidate.name === name);
    if (family === undefined)
      invalid(`featureClass.${name}`, `one of ${FAMILIES.map((f) => f.name).join(', ')} is wanted`);
    const list: unknown[] = wanted === null || wanted === undefined ? [] : Array.isArray(wanted) ? wanted : [wanted];
    const unknown = list.find((feature) => !family.features.includes(feature as string));
    if (unknown !== undefined) invalid(`featureClass.${name}`, `there is no feature ${JSON.stringify(unknown)}`);
    const all = family.features.filter((feature) => !family.deprecated.includes(feature));
    chosen[family.name] = list.length === 0 ? all : (list as string[]);
  }
  return chosen;
}

function textureOf(reader: Reader, flatAxis: number | undefined): TextureSettings {
  const distances = reader.numbers(
    'distances',
    (list) => list.length > 0 && list.every(counting),
    'whole numbers from 1 are wanted',
  );
  const weighting = reader.choice('weightingNorm', ['manhattan', 'euclidean', 'infinity', 'no_weighting']);
  return {
    neighbourhood: { distances: distances ?? [1], ...(flatAxis === undefined ? {} : { flatAxis }) },
    ...(weighting === undefined ? {} : { weighting }),
    symmetrical: reader.flag('symmetricalGLCM', true),
    dependence: reader.number('gldm_a', (n) => n >= 0, 'a number from 0 is wanted') ?? 0,
    shift: reader.number('voxelArrayShift', () => true, 'a number is wanted') ?? 0,
  };
}

function normaliseOf(reader: Reader): RadiomicsSettings['normalise'] {
  const on = reader.flag('normalize');
  const scale = reader.number('normalizeScale', positive, 'a number above 0 is wanted') ?? 1;
  const outliers = reader.number('removeOutliers', positive, 'a number above 0 is wanted');
  return on ? { scale, ...(outliers === undefined ? {} : { outliers }) } : undefined;
}

function resegmentOf(reader: Reader): RadiomicsSettings['resegment'] {
  const range = reader.numbers(
    'resegmentRange',
    ({ length }) => length === 1 || length === 2,
    'one or two numbers are wanted',
  );
  const mode = reader.choice('resegmentMode', ['absolute', 'relative', 'sigma']) ?? 'absolute';
  const shape = reader.flag('resegmentShape');
  if (range === undefined) return undefined;
  const ordered = [...range].sort((a, b) => a - b) as unknown as [number] | [number, number];
  return { range: ordered, mode, shape };
}

const INTERPOLATORS = ['sitkNearestNeighbor', 'sitkLinear', 'sitkBSpline'] as const;

/** An interpolator by name or by SimpleITK's number. */
function interpolatorOf(value: unknown): (typeof INTERPOLATORS)[number] {
  if (value === undefined) return 'sitkBSpline';
  const name = typeof value === 'number' ? INTERPOLATORS[value - 1] : value;
  const known = INTERPOLATORS.find((candidate) => candidate === name);
  return known ?? unsupported('setting.interpolator', `one of ${INTERPOLATORS.join(', ')} is wanted`);
}

function resampleOf(reader: Reader): RadiomicsSettings['resample'] {
  const three = (list: readonly number[]): boolean => list.length === 3 && list.every((mm) => mm >= 0);
  const spacing = reader.numbers('resampledPixelSpacing', three, 'three numbers from 0 are wanted');
  // Without an interpolator pyradiomics does not resample, whatever the spacing.
  const off = reader.isNull('interpolator');
  const interpolator = interpolatorOf(reader.any('interpolator'));
  if (spacing === undefined || off) return undefined;
  return { spacing: spacing as unknown as [number, number, number], interpolator };
}

/** pyradiomics counts array axes slices first; the voxel frame counts columns first. */
function flatAxisOf(reader: Reader): number | undefined {
  const on = reader.flag('force2D');
  const dimension = reader.number('force2Ddimension', (n) => [0, 1, 2].includes(n), '0, 1 or 2 is wanted') ?? 0;
  return on ? 2 - dimension : undefined;
}

/**
 * Reads a parsed pyradiomics parameter document (`imageType`, `featureClass`, `setting`) with pyradiomics' defaults. Every
 * key works as pyradiomics documents it, or is named and refused.
 *
 * @param document the document; an empty one gives the defaults
 * @param set which features when `featureClass` is absent
 * @throws CohortflowError `InvalidRadiomicsSetting`, `UnsupportedRadiomicsSetting`
 */
export function parseRadiomicsSettings(document: Document = {}, set: FeatureSet = 'default'): RadiomicsSettings {
  for (const key of Object.keys(document)) {
    if (key === 'voxelSetting') unsupported(key, 'feature maps (voxel-based extraction) are not computed');
    if (!['imageType', 'featureClass', 'setting'].includes(key)) {
      invalid(key, 'imageType, featureClass and setting are the parts of a parameter file');
    }
  }
  const reader = new Reader(mapping(document['setting'], 'setting'), 'setting');
  const flatAxis = flatAxisOf(reader);
  const label = reader.number('label', counting, 'a whole number from 1 is wanted') ?? 1;
  if (label !== 1) {
    unsupported(
      'setting.label',
      `the mask written by the conversion has label 1; choose label ${label} with the sheet's label column or --label`,
    );
  }
  reader.refuse('label_channel', 'masks have one channel; choose segments by name');
  const minimumSize = reader.number('minimumROISize', counting, 'a whole number from 1 is wanted');
  const normalise = normaliseOf(reader);
  const resegment = resegmentOf(reader);
  const resample = resampleOf(reader);
  // Read here so that a fault is found under its own name; each image type then takes them with its own changes.
  binningOf(reader);
  textureOf(reader, flatAxis);
  const settings: RadiomicsSettings = {
    imageTypes: imageTypesOf(document, flatAxis),
    features: featuresOf(document, set),
    ...(flatAxis === undefined ? {} : { flatAxis }),
    minimumDimensions: reader.number('minimumROIDimensions', (n) => [1, 2, 3].includes(n), '1, 2 or 3 is wanted') ?? 2,
    ...(minimumSize === undefined ? {} : { minimumSize }),
    ...(normalise === undefined ? {} : { normalise }),
    ...(resegment === undefined ? {} : { resegment }),
    ...(resample === undefined ? {} : { resample }),
    padDistance: reader.number('padDistance', wholeFrom0, 'a whole number from 0 is wanted') ?? 5,
    preCrop: reader.flag('preCrop'),
  };
  // The conversion heeds `correctMask`, puts image and mask on one grid and reports how far they were apart, so that a tolerance
  // has nothing to do; diagnostics are always written, to geometry.json and conversion.json.
  reader.flag('correctMask');
  reader.accept('geometryTolerance', 'additionalInfo', ...Object.values(FILTER_KEYS).flat());
  reader.accept(...PATTERN_KEYS);
  reader.finish();
  return settings;
}
