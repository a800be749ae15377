import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../../src/app/package-root.js';
import { fanOutChoice } from '../../../src/contracts/fan-out-choice.js';
import { checkInput, type FieldRules } from '../../../src/contracts/input-check.js';
import {
  CLINICAL_RULES,
  GENOMICS_COHORT_RULES,
  GENOMICS_SAMPLE_RULES,
  IMAGING_COHORT_RULES,
  IMAGING_STUDY_RULES,
  MULTIMODAL_RULES,
  checkUnit,
  type GenomicsSampleInput,
  type ImagingStudyInput,
  type MultimodalInput,
} from '../../../src/contracts/inputs.js';

const RULES: Readonly<Record<string, FieldRules>> = {
  multimodalCohort: MULTIMODAL_RULES,
  imagingCohort: IMAGING_COHORT_RULES,
  imagingStudy: IMAGING_STUDY_RULES,
  genomicsCohort: GENOMICS_COHORT_RULES,
  genomicsSample: GENOMICS_SAMPLE_RULES,
  clinicalFeatures: CLINICAL_RULES,
};
const FOLDER = join(PACKAGE_ROOT, 'examples', 'workflows');

function example<T>(workflow: string): T {
  const document: unknown = JSON.parse(readFileSync(join(FOLDER, `${workflow}.json`), 'utf8'));
  return checkInput<T>(workflow, RULES[workflow]!, document);
}

describe('the example inputs', () => {
  it('are one per workflow that a person may start', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(
      Object.keys(RULES)
        .map((name) => `${name}.json`)
        .sort(),
    );
  });

  it.each(Object.keys(RULES))('are accepted as they are by %s', (workflow) => {
    expect(example(workflow)).toMatchObject({ output: '/data/results' });
  });

  it('name units and widths that the workflows take', () => {
    const input = example<MultimodalInput>('multimodalCohort');
    expect(fanOutChoice(input, 'imaging').concurrency).toBe(50);
    expect(fanOutChoice(input, 'genomics').concurrency).toBe(8);
    const study = example<ImagingStudyInput>('imagingStudy').unit;
    const sample = example<GenomicsSampleInput>('genomicsSample').unit;
    expect(() => checkUnit('imagingStudy', 'imaging', study)).not.toThrow();
    expect(() => checkUnit('genomicsSample', 'genomics', sample)).not.toThrow();
    expect(() => checkUnit('imagingStudy', 'imaging', sample)).toThrow(/unit\.source\.kind/);
  });
});
