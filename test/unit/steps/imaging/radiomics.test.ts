import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Vec3, VoxelArray } from '../../../../src/domain/geometry/volume.js';
import { writeNifti } from '../../../../src/domain/nifti/write.js';
import { radiomicsStep } from '../../../../src/steps/imaging/radiomics.js';
import { runStep, temporaryFolder } from '../../../support/run-step.js';

const SIZE: Vec3 = [12, 10, 8];
const VOXELS = 960;

/** Writes a volume as the conversion would, uncompressed or not is the reader's business. */
function volumeFile(folder: string, name: string, data: VoxelArray): string {
  const directions = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ] as const;
  const path = join(folder, name);
  writeFileSync(
    path,
    writeNifti({ geometry: { size: SIZE, spacing: [1, 1, 2], origin: [5, 6, 7], directions }, data }),
  );
  return path;
}

function inputs(folder: string): { image: string[]; mask: string[] } {
  const image = Int16Array.from({ length: VOXELS }, (_, at) => ((at * 7919) % 400) - 200);
  const mask = Uint8Array.from({ length: VOXELS }, (_, at) => (at % 12 > 2 && at % 12 < 9 ? 1 : 0));
  return { image: [volumeFile(folder, 'ct.nii', image)], mask: [volumeFile(folder, 'seg.nii', mask)] };
}

function json(folder: string, name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, unknown>;
}

describe('imaging.radiomics', () => {
  it('writes the features, what was measured and the account of the conversion', async () => {
    const folder = temporaryFolder('radiomics');
    const conversion = join(folder, 'conversion.json');
    writeFileSync(conversion, JSON.stringify({ slices: 8 }));
    const run = await runStep(radiomicsStep, {}, { ...inputs(folder), conversion: [conversion] });
    expect([...run.outputs].sort()).toEqual(['features.json', 'geometry.json']);
    expect(run.summary).toEqual({ features: 107, nulls: 0, roiVoxels: 480 });
    const features = json(run.folder, 'features.json');
    expect(Object.keys(features)).toHaveLength(107);
    expect(features['original_shape_VoxelVolume']).toBe(960);
    expect(json(run.folder, 'geometry.json')).toMatchObject({ nullReasons: {}, conversion: { slices: 8 } });
  });

  it('measures each segment, and keeps going when one is too small', async () => {
    const folder = temporaryFolder('radiomics');
    const core = volumeFile(
      folder,
      'core.nii',
      Uint8Array.from({ length: VOXELS }, (_, at) => (at % 12 === 5 ? 1 : 0)),
    );
    const speck = volumeFile(folder, 'speck.nii', new Uint8Array(VOXELS).fill(1, 500, 501));
    const run = await runStep(radiomicsStep, {}, { ...inputs(folder), segments: [core, speck] });
    expect([...run.outputs].sort()).toEqual(['features-core.json', 'features.json', 'geometry.json']);
    expect(json(run.folder, 'features-core.json')['original_shape_VoxelVolume']).toBe(160);
    expect(json(run.folder, 'geometry.json')).toMatchObject({ nullReasons: { 'speck/*': { code: 'RoiTooSmall' } } });
  });

  it('follows a parameter document, and names the reason of every null', async () => {
    const folder = temporaryFolder('radiomics');
    const { image, mask } = inputs(folder);
    const flat = volumeFile(folder, 'flat.nii', new Int16Array(VOXELS));
    const settings = { imageType: { Logarithm: {} }, featureClass: { firstorder: ['Mean'], glcm: ['Contrast'] } };
    const run = await runStep(radiomicsStep, { settings }, { image: [flat], mask });
    expect(json(run.folder, 'features.json')).toEqual({
      logarithm_firstorder_Mean: null,
      logarithm_glcm_Contrast: null,
    });
    expect(run.summary).toMatchObject({ features: 2, nulls: 2 });
    expect(json(run.folder, 'geometry.json')).toMatchObject({
      nullReasons: { logarithm_firstorder_Mean: { code: 'NotANumber' } },
    });
    const seed = await runStep(radiomicsStep, { set: 'seed' }, { image, mask });
    expect(seed.summary).toMatchObject({ features: 120, nulls: 0 });
  });

  it('refuses an unknown set and a faulty document before it reads anything', async () => {
    const nowhere = { image: ['/nowhere/ct.nii.gz'], mask: ['/nowhere/seg.nii.gz'] };
    await expect(runStep(radiomicsStep, { set: 'all' }, nowhere)).rejects.toMatchObject({ code: 'InvalidInput' });
    await expect(runStep(radiomicsStep, { settings: { setting: { binwidth: 1 } } }, nowhere)).rejects.toMatchObject({
      code: 'InvalidRadiomicsSetting',
    });
  });
});
