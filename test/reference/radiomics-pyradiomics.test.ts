import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readNifti } from '../../src/domain/nifti/read.js';
import { computeRadiomics, parseRadiomicsSettings } from '../../src/domain/radiomics/index.js';
import { convertStep } from '../../src/steps/imaging/convert.js';
import { runStep } from '../support/run-step.js';
import { sharedData } from '../support/shared-data.js';
import { relativeError } from '../support/statistics.js';

const SUBJECTS = ['STS_002', 'STS_003', 'STS_008', 'STS_012', 'STS_019', 'STS_025', 'STS_042'];

describe.skipIf(sharedData('reference') === undefined)(
  'the 107 default features equal those of pyradiomics 3.0.1',
  () => {
    it.each(SUBJECTS)('on the real study %s', async (subject) => {
      const { folder } = await runStep(convertStep, {}, { study: [sharedData(`imaging/${subject}`)!] });
      const volume = (name: string): ReturnType<typeof readNifti> =>
        readNifti(gunzipSync(readFileSync(join(folder, name))), name);
      const { features } = computeRadiomics(volume('ct.nii.gz'), volume('seg.nii.gz'), parseRadiomicsSettings());
      const text = readFileSync(sharedData(`reference/${subject}.radiomics.json`)!, 'utf8');
      const expected = (JSON.parse(text) as { features: Record<string, number> }).features;
      expect(Object.keys(features).sort()).toEqual(Object.keys(expected).sort());
      const worst = Object.entries(expected).map(
        ([name, value]) => [relativeError(features[name]!, value), name] as const,
      );
      worst.sort((a, b) => b[0] - a[0]);
      expect(worst[0]![0], worst.slice(0, 5).join('; ')).toBeLessThan(1e-7);
    });
  },
);
