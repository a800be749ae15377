import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readNifti } from '../../src/domain/nifti/read.js';
import { computeRadiomics, parseRadiomicsSettings } from '../../src/domain/radiomics/index.js';
import { convertStep } from '../../src/steps/imaging/convert.js';
import { runStep } from '../support/run-step.js';
import { sharedData } from '../support/shared-data.js';
import { relativeError } from '../support/statistics.js';

describe.skipIf(sharedData('reference') === undefined)('filtered images as pyradiomics makes them', () => {
  it('gives the features of every filter of the parameter file on a real study', async () => {
    const { folder } = await runStep(convertStep, {}, { study: [sharedData('imaging/STS_008')!] });
    const volume = (name: string): ReturnType<typeof readNifti> =>
      readNifti(gunzipSync(readFileSync(join(folder, name))), name);
    const document = parse(readFileSync(sharedData('reference/filters.yaml')!, 'utf8')) as Record<string, unknown>;
    const { features } = computeRadiomics(volume('ct.nii.gz'), volume('seg.nii.gz'), parseRadiomicsSettings(document));
    const text = readFileSync(sharedData('reference/STS_008.radiomics-filters.json')!, 'utf8');
    const expected = (JSON.parse(text) as { features: Record<string, number> }).features;
    expect(Object.keys(features).sort()).toEqual(Object.keys(expected).sort());
    const worst = Object.entries(expected).map(
      ([name, value]) => [relativeError(features[name]!, value), name] as const,
    );
    worst.sort((a, b) => b[0] - a[0]);
    const perFilter = new Map<string, number>();
    for (const [error, name] of worst) {
      const filter = name.split('_', 1)[0]!;
      perFilter.set(filter, Math.max(error, perFilter.get(filter) ?? 0));
    }
    expect(worst[0]![0], [...perFilter].join('; ')).toBeLessThan(1e-6);
  });
});
