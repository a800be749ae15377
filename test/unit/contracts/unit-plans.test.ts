import { describe, expect, it } from 'vitest';
import type { ImagingStudyInput } from '../../../src/contracts/inputs.js';
import { imagingPlan } from '../../../src/contracts/unit-plans.js';

describe('the plan of a study', () => {
  const nifti = { kind: 'nifti', image: '/i.nii.gz', mask: '/m.nii.gz' } as const;
  const dicom = { kind: 'dicom', folder: '/study' } as const;
  const asked = { setting: { correctMask: true, binWidth: 10 } };

  async function convertParams(
    input: Pick<ImagingStudyInput, 'settings'>,
    source: ImagingStudyInput['unit']['source'],
  ) {
    const seen: Record<string, unknown> = {};
    const unit = { modality: 'imaging', caseId: 'C-1', source } as const;
    await imagingPlan({ unit, output: '/out', ...input }, (step, params) => {
      seen[step] = params;
      return Promise.resolve({ folder: '/out', outputs: [] });
    });
    return seen['imaging.convert'];
  }

  it('has masks in NIfTI brought to the grid of their image where the radiomics settings ask for it', async () => {
    expect(await convertParams({ settings: asked }, nifti)).toEqual({ correctMask: true });
    expect(await convertParams({ settings: { setting: { correctMask: false } } }, nifti)).toEqual({});
    expect(await convertParams({ settings: { imageType: { Original: {} } } }, nifti)).toEqual({});
    expect(await convertParams({}, nifti)).toEqual({});
    // Where it has nothing to do it must not make a finished conversion another one.
    expect(await convertParams({ settings: asked }, dicom)).toEqual({});
  });
});
