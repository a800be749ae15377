import { describe, expect, it } from 'vitest';
import { overlapNotes } from '../../../../src/domain/clinical/index.js';

describe('overlapNotes', () => {
  it('is silent where every case has a row and every row a case', () => {
    expect(overlapNotes(['A', 'B'], ['B', 'A'])).toEqual([]);
    // A run of the clinical table alone has no sheet.
    expect(overlapNotes([], ['B', 'A'])).toEqual([]);
  });

  it('counts cases without a row, and rows without a case', () => {
    expect(overlapNotes(['A', 'B', 'C'], ['B', 'X', 'Y'])).toEqual([
      '2 of 3 cases of the sheet have no row in the clinical table',
      '2 of 3 rows of the clinical table are of no case of the sheet',
    ]);
  });

  it('says that nothing fits, and that ids only differ in what a spreadsheet changes', () => {
    expect(overlapNotes(['R01-007', 'r01-010'], ['R01-7', 'R01-010'])).toEqual([
      'no case of the sheet has a row in the clinical table',
      '2 of 2 rows of the clinical table are of no case of the sheet',
      expect.stringMatching(/^2 of these ids .* another spelling/),
    ]);
    expect(overlapNotes(['A-100'], ['A-10'])).toHaveLength(2);
  });
});
