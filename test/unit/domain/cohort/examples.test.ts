import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readCohortSheet } from '../../../../src/domain/cohort/index.js';

describe('the sample sheets', () => {
  it.each([
    ['cohort.csv', 4, 3, 3],
    ['cohort-nifti.csv', 2, 2, 2],
    ['cohort-follow-up.csv', 2, 3, 2],
    ['pyradiomics-batch.csv', 2, 2, 0],
  ])('%s is read without a fault or a warning', (name, cases, imaging, genomics) => {
    const reading = readCohortSheet(readFileSync(`examples/${name}`), { base: '/data' });
    expect(reading.faults).toEqual([]);
    expect(reading.warnings).toEqual([]);
    const { manifest } = reading;
    expect([manifest.cases.length, manifest.imaging.length, manifest.genomics.length]).toEqual([
      cases,
      imaging,
      genomics,
    ]);
  });
});
