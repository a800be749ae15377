import { describe, expect, it } from 'vitest';
import { readCohortSheet, refuseRequesterPays } from '../../../../src/domain/cohort/index.js';

const SHEET = [
  'case_id,imaging,image,mask',
  'A,s3://open/a,,',
  'B,s3://paid/b,,',
  'C,,s3://open/c.nii.gz,s3://paid/c-mask.nii.gz',
  'D,,s3://paid-too/d.nii.gz,s3://open/d-mask.nii.gz',
].join('\n');

describe('studies in buckets whose reader pays', () => {
  const reading = readCohortSheet(SHEET, { base: 's3://open' });
  const refuse = (buckets: readonly string[]): void =>
    refuseRequesterPays('s3://open/trial/cohort.csv', reading, buckets);

  it('are refused for jobs with row, column and case, and with what to do', () => {
    expect(reading.faults).toEqual([]);
    const faults = [
      { kind: 'RequesterPaysBucket', row: 3, column: 'imaging' },
      { kind: 'RequesterPaysBucket', row: 4, column: 'mask' },
    ];
    expect(() => refuse(['paid'])).toThrow(
      expect.objectContaining({ code: 'InvalidSheet', details: expect.objectContaining({ faultCount: 2 }) }),
    );
    try {
      refuse(['paid']);
    } catch (error) {
      expect(error).toMatchObject({ details: { faults } });
      expect((error as Error).message).toMatch(/^cohort\.csv: 2 faults/);
      expect((error as Error).message).toMatch(/row 3, column imaging: case B: .* paid .*--request-payer requester/);
    }
  });

  it('are those of the buckets that the settings name, and no others', () => {
    expect(() => refuse([])).not.toThrow();
    expect(() => refuse(['pai', 'theirs'])).not.toThrow();
  });
});
