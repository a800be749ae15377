import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { axisMapping, compareGeometry } from '../../src/domain/geometry/compare.js';
import { voxelToLps } from '../../src/domain/geometry/affine.js';
import { readNifti, type NiftiVolume } from '../../src/domain/nifti/read.js';
import { convertPaths, removeConverted } from '../support/dicom/run-convert.js';
import { sharedData } from '../support/shared-data.js';

/**
 * Real studies against what independent tools found: nibabel on the set's own NIfTI files (volume, mask), and the masks of
 * the IBSI CT phantom.
 */

afterAll(removeConverted);

interface Reference {
  readonly shape_xyz: readonly number[];
  readonly spacing_mm: readonly number[];
  readonly hu_min: number;
  readonly hu_max: number;
  readonly hu_sum: number;
  readonly mask_voxels: number;
  readonly hu_sum_in_mask: number;
  readonly mask_centroid_ras_mm: readonly number[];
}

const load = (path: string): NiftiVolume => readNifti(gunzipSync(readFileSync(path)), 'reference');

/** Values of `source` in the voxel order of `target`; both have to be the same grid. */
function inOrderOf(target: NiftiVolume, source: NiftiVolume): number[] {
  const mapping = axisMapping(target.geometry, source.geometry);
  if (mapping === undefined) throw new Error(compareGeometry(target.geometry, source.geometry).explanation);
  const { size } = target.geometry;
  const strides = [1, source.geometry.size[0], source.geometry.size[0] * source.geometry.size[1]];
  const out: number[] = [];
  const index = [0, 0, 0];
  for (let k = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++)
      for (let i = 0; i < size[0]; i++) {
        [i, j, k].forEach((at, axis) => {
          const from = mapping.from[axis as 0];
          index[from] = mapping.reversed[axis as 0] ? source.geometry.size[from]! - 1 - at : at;
        });
        out.push(source.data[index[0]! * strides[0]! + index[1]! * strides[1]! + index[2]! * strides[2]!]!);
      }
  return out;
}

const SUBJECTS: readonly (readonly [string, string, string | undefined])[] = [
  ['STS_002', 'a SEG with every frame', undefined],
  ['STS_003', 'a SEG with the slices of the tumour only', undefined],
  ['STS_008', 'a SEG cropped in slices, rows and columns', undefined],
  ['STS_012', 'contours', undefined],
  ['STS_019', 'a CT in JPEG Lossless', undefined],
  ['STS_025', 'a PET beside the CT', undefined],
  ['STS_042', 'two overlapping segments', 'Whole tumor'],
];

const studies = sharedData('imaging');
const references = sharedData('reference');

describe.skipIf(studies === undefined || references === undefined)('soft-tissue-sarcoma studies', () => {
  it.each(SUBJECTS)('%s, %s: volume and mask equal those of the set', async (subject, _, roi) => {
    const wanted = JSON.parse(readFileSync(`${references}/${subject}.geometry.json`, 'utf8')) as Reference;
    const { image, mask } = await convertPaths({ study: [`${studies}/${subject}`] }, roi === undefined ? {} : { roi });
    expect(image.geometry.size).toEqual(wanted.shape_xyz);
    image.geometry.spacing.forEach((value, axis) => expect(value).toBeCloseTo(wanted.spacing_mm[axis]!, 5));
    let [low, high, sum, inside, insideSum] = [Infinity, -Infinity, 0, 0, 0];
    const centroid = [0, 0, 0];
    image.data.forEach((value, at) => {
      [low, high, sum] = [Math.min(low, value), Math.max(high, value), sum + value];
      if (mask.data[at] === 0) return;
      [inside, insideSum] = [inside + 1, insideSum + value];
      const [columns, rows] = image.geometry.size;
      const [x, y, z] = voxelToLps(image.geometry, [
        at % columns,
        Math.floor(at / columns) % rows,
        Math.floor(at / (columns * rows)),
      ]);
      [-x, -y, z].forEach((part, axis) => (centroid[axis] = centroid[axis]! + part));
    });
    expect({ low, high, sum, inside, insideSum }).toEqual({
      low: wanted.hu_min,
      high: wanted.hu_max,
      sum: wanted.hu_sum,
      inside: wanted.mask_voxels,
      insideSum: wanted.hu_sum_in_mask,
    });
    centroid.forEach((value, axis) => expect(value / inside).toBeCloseTo(wanted.mask_centroid_ras_mm[axis]!, 3));
    const truth = inOrderOf(mask, load(`${references}/${subject}.mask.nii.gz`));
    expect(truth.reduce((count, value, at) => count + ((value > 0 ? 1 : 0) === mask.data[at] ? 0 : 1), 0)).toBe(0);
  });

  it('STS_042: the union is the default, and each segment has its file', async () => {
    const { document, summary } = await convertPaths({ study: [`${studies}/STS_042`] });
    expect(document.segments.map(({ name, file }) => [name, file])).toEqual([
      ['Tumor core', 'segments/Tumor-core.nii.gz'],
      ['Whole tumor', 'segments/Whole-tumor.nii.gz'],
    ]);
    expect(summary.roiVoxels).toBe(11175);
  });
});

const phantom = sharedData('ibsi/ibsi_1_ct_radiomics_phantom');

describe.skipIf(phantom === undefined)('the IBSI CT radiomics phantom', () => {
  it('gives the published image and mask from its DICOM series and contours, voxel by voxel', async () => {
    const { image, mask } = await convertPaths({ study: [`${phantom}/dicom`] });
    const differ = (ours: NiftiVolume, published: string): number =>
      inOrderOf(ours, load(`${phantom}/nifti/${published}`)).reduce(
        (count, value, at) => count + (value === ours.data[at] ? 0 : 1),
        0,
      );
    expect(differ(image, 'image/phantom.nii.gz')).toBe(0);
    expect(differ(mask, 'mask/mask.nii.gz')).toBe(0);
  });
});
