import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';

/** Consensus value of one IBSI feature, with its tolerance. */
export interface IbsiValue {
  readonly tag: string;
  readonly value: number;
  readonly tolerance: number;
}

/** Reads a reference table of the Image Biomarker Standardisation Initiative (tag, value, tolerance). */
export function readIbsi(path: string): IbsiValue[] {
  const rows = parse<Record<string, string>>(readFileSync(path), { columns: true, bom: true });
  return rows.map(({ tag = '', value, tolerance }) => ({ tag, value: Number(value), tolerance: Number(tolerance) }));
}

/** IBSI's tags of a matrix family by pyradiomics' feature names. */
const TEXTURES: Readonly<
  Record<string, { readonly family: string; readonly names: Readonly<Record<string, string>> }>
> = {
  cm: {
    family: 'glcm',
    names: {
      joint_max: 'MaximumProbability',
      joint_avg: 'JointAverage',
      joint_var: 'SumSquares',
      joint_entr: 'JointEntropy',
      diff_avg: 'DifferenceAverage',
      diff_var: 'DifferenceVariance',
      diff_entr: 'DifferenceEntropy',
      sum_avg: 'SumAverage',
      sum_var: 'ClusterTendency',
      sum_entr: 'SumEntropy',
      energy: 'JointEnergy',
      contrast: 'Contrast',
      dissimilarity: 'DifferenceAverage',
      inv_diff: 'Id',
      inv_diff_norm: 'Idn',
      inv_diff_mom: 'Idm',
      inv_diff_mom_norm: 'Idmn',
      inv_var: 'InverseVariance',
      corr: 'Correlation',
      auto_corr: 'Autocorrelation',
      clust_tend: 'ClusterTendency',
      clust_shade: 'ClusterShade',
      clust_prom: 'ClusterProminence',
      info_corr1: 'Imc1',
      info_corr2: 'Imc2',
    },
  },
  rlm: {
    family: 'glrlm',
    names: {
      sre: 'ShortRunEmphasis',
      lre: 'LongRunEmphasis',
      lgre: 'LowGrayLevelRunEmphasis',
      hgre: 'HighGrayLevelRunEmphasis',
      srlge: 'ShortRunLowGrayLevelEmphasis',
      srhge: 'ShortRunHighGrayLevelEmphasis',
      lrlge: 'LongRunLowGrayLevelEmphasis',
      lrhge: 'LongRunHighGrayLevelEmphasis',
      glnu: 'GrayLevelNonUniformity',
      glnu_norm: 'GrayLevelNonUniformityNormalized',
      rlnu: 'RunLengthNonUniformity',
      rlnu_norm: 'RunLengthNonUniformityNormalized',
      r_perc: 'RunPercentage',
      gl_var: 'GrayLevelVariance',
      rl_var: 'RunVariance',
      rl_entr: 'RunEntropy',
    },
  },
  szm: {
    family: 'glszm',
    names: {
      sze: 'SmallAreaEmphasis',
      lze: 'LargeAreaEmphasis',
      lgze: 'LowGrayLevelZoneEmphasis',
      hgze: 'HighGrayLevelZoneEmphasis',
      szlge: 'SmallAreaLowGrayLevelEmphasis',
      szhge: 'SmallAreaHighGrayLevelEmphasis',
      lzlge: 'LargeAreaLowGrayLevelEmphasis',
      lzhge: 'LargeAreaHighGrayLevelEmphasis',
      glnu: 'GrayLevelNonUniformity',
      glnu_norm: 'GrayLevelNonUniformityNormalized',
      zsnu: 'SizeZoneNonUniformity',
      zsnu_norm: 'SizeZoneNonUniformityNormalized',
      z_perc: 'ZonePercentage',
      gl_var: 'GrayLevelVariance',
      zs_var: 'ZoneVariance',
      zs_entr: 'ZoneEntropy',
    },
  },
  ngt: {
    family: 'ngtdm',
    names: {
      coarseness: 'Coarseness',
      contrast: 'Contrast',
      busyness: 'Busyness',
      complexity: 'Complexity',
      strength: 'Strength',
    },
  },
  ngl: {
    family: 'gldm',
    names: {
      lde: 'SmallDependenceEmphasis',
      hde: 'LargeDependenceEmphasis',
      lgce: 'LowGrayLevelEmphasis',
      hgce: 'HighGrayLevelEmphasis',
      ldlge: 'SmallDependenceLowGrayLevelEmphasis',
      ldhge: 'SmallDependenceHighGrayLevelEmphasis',
      hdlge: 'LargeDependenceLowGrayLevelEmphasis',
      hdhge: 'LargeDependenceHighGrayLevelEmphasis',
      glnu: 'GrayLevelNonUniformity',
      dcnu: 'DependenceNonUniformity',
      dcnu_norm: 'DependenceNonUniformityNormalized',
      gl_var: 'GrayLevelVariance',
      dc_var: 'DependenceVariance',
      dc_entr: 'DependenceEntropy',
    },
  },
};

const MORPHOLOGY: Readonly<Record<string, string>> = {
  morph_volume: 'MeshVolume',
  morph_vol_approx: 'VoxelVolume',
  morph_area_mesh: 'SurfaceArea',
  morph_av: 'SurfaceVolumeRatio',
  morph_comp_1: 'Compactness1',
  morph_comp_2: 'Compactness2',
  morph_sph_dispr: 'SphericalDisproportion',
  morph_sphericity: 'Sphericity',
  morph_diam: 'Maximum3DDiameter',
  morph_pca_maj_axis: 'MajorAxisLength',
  morph_pca_min_axis: 'MinorAxisLength',
  morph_pca_least_axis: 'LeastAxisLength',
  morph_pca_elongation: 'Elongation',
  morph_pca_flatness: 'Flatness',
};

const STATISTICS: Readonly<Record<string, string>> = {
  stat_mean: 'Mean',
  stat_var: 'Variance',
  stat_skew: 'Skewness',
  stat_median: 'Median',
  stat_min: 'Minimum',
  stat_p10: '10Percentile',
  stat_p90: '90Percentile',
  stat_max: 'Maximum',
  stat_iqr: 'InterquartileRange',
  stat_range: 'Range',
  stat_mad: 'MeanAbsoluteDeviation',
  stat_rmad: 'RobustMeanAbsoluteDeviation',
  stat_energy: 'Energy',
  stat_rms: 'RootMeanSquared',
  ih_entropy: 'Entropy',
  ih_uniformity: 'Uniformity',
};

/** How the matrices of a run were put together, by IBSI's suffixes. */
export type Aggregation = '3D_avg' | '3D_comb' | '2_5D_avg' | '2_5D_comb';

/**
 * The value that answers an IBSI tag among pyradiomics' features, or undefined where these have none. pyradiomics'
 * kurtosis is not reduced by 3, and its Asphericity and coefficient of variation follow from others.
 */
export function answerTo(
  tag: string,
  features: Readonly<Record<string, number | null>>,
  aggregation: Aggregation,
): number | undefined {
  const feature = (name: string): number | undefined => features[`original_${name}`] ?? undefined;
  const plus = (name: string, change: number): number | undefined => {
    const value = feature(name);
    return value === undefined ? undefined : value + change;
  };
  if (tag === 'stat_kurt') return plus('firstorder_Kurtosis', -3);
  if (tag === 'morph_asphericity') return plus('shape_SphericalDisproportion', -1);
  if (tag in MORPHOLOGY) return feature(`shape_${MORPHOLOGY[tag]!}`);
  if (tag in STATISTICS) return feature(`firstorder_${STATISTICS[tag]!}`);
  const dimension = aggregation.slice(0, aggregation.lastIndexOf('_'));
  const suffix = ['szm', 'ngt', 'ngl'].includes(tag.split('_', 1)[0]!) ? dimension : aggregation;
  if (!tag.endsWith(`_${suffix}`)) return undefined;
  const bare = tag.slice(0, -suffix.length - 1);
  const kind = TEXTURES[bare.split('_', 1)[0]!];
  const name = kind?.names[bare.slice(bare.indexOf('_') + 1)];
  return kind === undefined || name === undefined ? undefined : feature(`${kind.family}_${name}`);
}

/** True when a value lies in the tolerance once rounded to three significant digits, as the consensus is printed. */
export function agrees(value: number, { value: wanted, tolerance }: IbsiValue): boolean {
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded - wanted) <= tolerance * (1 + 1e-9) + 1e-9 * Math.abs(wanted);
}
