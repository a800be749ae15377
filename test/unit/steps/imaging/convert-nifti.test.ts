import { afterAll, describe, expect, it } from 'vitest';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { axialGeometry } from '../../../../src/domain/dicom/write/index.js';
import { voxelToLps } from '../../../../src/domain/geometry/affine.js';
import type { Geometry, VoxelArray } from '../../../../src/domain/geometry/volume.js';
import { writeNifti } from '../../../../src/domain/nifti/write.js';
import {
  convertPaths,
  failureOf,
  removeConverted,
  studyFolder,
  type Converted,
} from '../../../support/dicom/run-convert.js';
import type { ConvertParams } from '../../../../src/steps/imaging/convert.js';

afterAll(removeConverted);

const geometry = axialGeometry([6, 5, 4], [1, 2, 3]);
const count = 6 * 5 * 4;
const image = Int16Array.from({ length: count }, (_, at) => at - 50);
const labels = Uint8Array.from({ length: count }, (_, at) => (at < 10 ? 1 : at < 17 ? 2 : at === 99 ? 5 : 0));

async function run(
  mask: { data: VoxelArray; geometry?: Geometry },
  params: ConvertParams = {},
  data: VoxelArray = image,
  place: Geometry = geometry,
): Promise<Converted> {
  const folder = await studyFolder([
    { name: 'image.nii.gz', bytes: gzipSync(writeNifti({ geometry: place, data })) },
    { name: 'mask.nii', bytes: writeNifti({ geometry: mask.geometry ?? geometry, data: mask.data }) },
  ]);
  return convertPaths({ image: [join(folder, 'image.nii.gz')], mask: [join(folder, 'mask.nii')] }, params);
}

describe('a study that is NIfTI already', () => {
  it('keeps image and order, and takes the union of all labels, each as a segment', async () => {
    const { image: out, mask, document, summary, segment } = await run({ data: labels });
    expect(out.data).toEqual(image);
    expect(Array.from(mask.data)).toEqual(Array.from(labels, (value) => (value ? 1 : 0)));
    expect(document.segments.map(({ name, voxelsOut }) => [name, voxelsOut])).toEqual([
      ['label-1', 10],
      ['label-2', 7],
      ['label-5', 1],
    ]);
    expect(Array.from((await segment('segments/label-2.nii.gz')).data)).toEqual(
      Array.from(labels, (value) => (value === 2 ? 1 : 0)),
    );
    expect(summary).toEqual({ voxels: count, roiVoxels: 18, segments: 3, warnings: [] });
  });

  it.each<[ConvertParams, number]>([
    [{ label: 2 }, 7],
    [{ roi: '2' }, 7],
    [{ roi: 'label-[12]' }, 17],
  ])('takes the labels asked for: %j', async (params, voxels) => {
    expect((await run({ data: labels }, params)).summary.roiVoxels).toBe(voxels);
  });

  it('names the labels there are when the one asked for is not', async () => {
    const failure = await failureOf(run({ data: labels }, { label: 3 }));
    expect(failure.code).toBe('LabelNotFound');
    expect(failure.message).toContain('1, 2, 5');
  });

  it('takes whole numbers stored as reals, with their rounding', async () => {
    const data = Float32Array.from(labels, (value) => value * 1.0001);
    expect((await run({ data })).summary.roiVoxels).toBe(18);
  });

  it('refuses fractions, an image as mask, and an empty mask', async () => {
    expect((await failureOf(run({ data: Float32Array.from(labels, (value) => value / 3) }))).code).toBe('InvalidMask');
    expect((await failureOf(run({ data: image }))).code).toBe('InvalidMask');
    expect((await failureOf(run({ data: new Uint8Array(count) }))).code).toBe('EmptyMask');
  });

  it('keeps the type of the numbers, to which resampling is bound', async () => {
    const bytes = Array.from(image, (value) => value + 50);
    for (const data of [
      Float64Array.from(image, (value) => value / 3),
      Float32Array.from(image),
      Uint8Array.from(bytes),
      Uint16Array.from(bytes),
      Int32Array.from(image, (value) => value * 70_000),
    ])
      expect((await run({ data: labels }, {}, data)).image.data).toEqual(data);
  });

  it.each<[string, (header: DataView) => void, VoxelArray]>([
    [
      'whole numbers with a scale',
      (header) => header.setFloat32(116, -1024, true),
      Float32Array.from(image, (value) => value - 1024),
    ],
    ['64-bit whole numbers', (header) => header.setInt16(70, 1024, true), Int32Array.from(image)],
  ])('stores %s as what they are to ITK', async (_, change, wanted) => {
    const wide = writeNifti({ geometry, data: Float64Array.from(image) });
    const bytes = wanted instanceof Int32Array ? wide : writeNifti({ geometry, data: image });
    if (wanted instanceof Int32Array)
      new BigInt64Array(bytes.buffer, 352).set(Array.from(image, (value) => BigInt(value)));
    change(new DataView(bytes.buffer));
    const folder = await studyFolder([
      { name: 'image.nii', bytes },
      { name: 'mask.nii', bytes: writeNifti({ geometry, data: labels }) },
    ]);
    const paths = { image: [join(folder, 'image.nii')], mask: [join(folder, 'mask.nii')] };
    expect((await convertPaths(paths)).image.data).toEqual(wanted);
  });

  it('refuses axes that are not at right angles, as of a tilted gantry', async () => {
    const sheared: Geometry = {
      ...geometry,
      directions: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0.28, 0.96],
      ],
    };
    const failure = await failureOf(run({ data: labels, geometry: sheared }, {}, image, sheared));
    expect(failure.code).toBe('GantryTilt');
    expect(failure.message).toContain('axes 2 and 3 lean by 16.26°');
  });

  it('warns when sform and qform disagree', async () => {
    const bytes = writeNifti({ geometry, data: image });
    new DataView(bytes.buffer).setFloat32(268, 7, true); // qoffset_x
    const folder = await studyFolder([
      { name: 'image.nii', bytes },
      { name: 'mask.nii', bytes: writeNifti({ geometry, data: labels }) },
    ]);
    const { summary } = await convertPaths({ image: [join(folder, 'image.nii')], mask: [join(folder, 'mask.nii')] });
    expect(summary.warnings).toEqual(['FormsDiffer']);
  });

  it('takes a damaged gzip stream for a fault of the file', async () => {
    const whole = gzipSync(writeNifti({ geometry, data: image }));
    const folder = await studyFolder([
      { name: 'image.nii.gz', bytes: whole.subarray(0, whole.length - 40) },
      { name: 'mask.nii', bytes: writeNifti({ geometry, data: labels }) },
    ]);
    const paths = { image: [join(folder, 'image.nii.gz')], mask: [join(folder, 'mask.nii')] };
    expect(await failureOf(convertPaths(paths))).toMatchObject({
      code: 'NotNifti',
      message: expect.stringMatching(/^image\.nii\.gz is damaged/) as string,
    });
  });

  it.each<[string, Partial<Geometry>, string]>([
    ['size', { size: [5, 6, 4] }, 'size 6 × 5 × 4 against 5 × 6 × 4'],
    ['spacing', { spacing: [1, 2, 3.5] }, 'spacing'],
    ['origin', { origin: [5, 0, 0] }, 'origin'],
    [
      'direction',
      {
        directions: [
          [0.8, 0.6, 0],
          [-0.6, 0.8, 0],
          [0, 0, 1],
        ],
      },
      'axes',
    ],
  ])('refuses a mask on another grid and says what differs: %s', async (_, change, text) => {
    const failure = await failureOf(run({ data: labels, geometry: { ...geometry, ...change } }));
    expect(failure.code).toBe('GeometryMismatch');
    expect(failure.message).toContain(text);
  });

  it('brings a mask with reversed and exchanged axes into the order of the image', async () => {
    // Axes of the mask: k reversed, i, j.
    const flipped: Geometry = {
      size: [4, 6, 5],
      spacing: [3, 1, 2],
      origin: voxelToLps(geometry, [0, 0, 3]),
      directions: [
        [0, 0, -1],
        [1, 0, 0],
        [0, 1, 0],
      ],
    };
    const data = new Uint8Array(count);
    for (let k = 0; k < 4; k++)
      for (let j = 0; j < 5; j++)
        for (let i = 0; i < 6; i++) data[3 - k + 4 * (i + 6 * j)] = labels[i + 6 * (j + 5 * k)]!;
    const { mask, summary } = await run({ data, geometry: flipped }, { label: 2 });
    expect(Array.from(mask.data)).toEqual(Array.from(labels, (value) => (value === 2 ? 1 : 0)));
    expect(summary.warnings).toEqual(['MaskReoriented']);
  });

  it('draws a mask on another grid anew where that is asked for, and says so', async () => {
    // Half as fine along i, twice as fine along j, one slice fewer at either end.
    const other: Geometry = {
      ...geometry,
      size: [3, 10, 2],
      spacing: [2, 1, 3],
      origin: voxelToLps(geometry, [0.5, -0.25, 1]),
    };
    const data = Uint8Array.from({ length: 60 }, (_, at) => (at % 3 === 1 ? 7 : 0));
    expect(await failureOf(run({ data, geometry: other }))).toMatchObject({
      code: 'GeometryMismatch',
      message: expect.stringContaining('correctMask') as string,
    });
    const { mask, summary, document } = await run({ data, geometry: other }, { correctMask: true });
    // The middle column of the mask covers columns 2 and 3 of the image, in its slices 1 and 2.
    const drawn = Array.from({ length: count }, (_, at) =>
      [2, 3].includes(at % 6) && [1, 2].includes(Math.floor(at / 30)) ? 1 : 0,
    );
    expect(Array.from(mask.data)).toEqual(drawn);
    expect(summary).toMatchObject({ roiVoxels: 20, warnings: ['MaskResampled'] });
    expect(document.segments.map(({ name }) => name)).toEqual(['label-7']);
  });

  it('refuses a region that lies partly beside the image, not one that was not asked for', async () => {
    const data = Uint8Array.from(labels);
    // A slice further: label 5 of the last slice lies beside the image.
    const shifted = { ...geometry, origin: voxelToLps(geometry, [0, 0, 1]) };
    const failure = await failureOf(run({ data, geometry: shifted }, { correctMask: true }));
    expect(failure.code).toBe('GeometryMismatch');
    expect(failure.message).toMatch(/^1 voxel\(s\) of the region in .* lie beside /);
    const { summary } = await run({ data, geometry: shifted }, { correctMask: true, label: 2 });
    expect(summary.roiVoxels).toBe(7);
  });

  it('refuses what is no NIfTI, and requests that contradict themselves', async () => {
    const folder = await studyFolder([
      { name: 'image.nii', bytes: writeNifti({ geometry, data: image }) },
      { name: 'mask.nii', bytes: new TextEncoder().encode('no mask') },
    ]);
    const paths = { image: [join(folder, 'image.nii')], mask: [join(folder, 'mask.nii')] };
    expect(await failureOf(convertPaths(paths))).toMatchObject({
      code: 'NotNifti',
      message: expect.stringContaining('mask.nii') as string,
    });
    expect((await failureOf(convertPaths({ image: paths.image }))).code).toBe('InvalidInput');
    expect((await failureOf(convertPaths({ ...paths, study: [folder] }))).code).toBe('InvalidInput');
    expect((await failureOf(convertPaths({}))).code).toBe('InvalidInput');
    expect((await failureOf(convertPaths(paths, { label: 1.5 }))).code).toBe('InvalidInput');
    expect((await failureOf(convertPaths(paths, { series: 'x' }))).code).toBe('InvalidInput');
    expect((await failureOf(convertPaths({ study: [join(folder, 'absent')] }))).code).toBe('FileNotFound');
  });

  it('stops when it is aborted', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(
      convertPaths({ study: [await studyFolder([{ name: 'a', bytes: new Uint8Array(500) }])] }, {}, signal),
    ).rejects.toThrow('enough');
  });
});
