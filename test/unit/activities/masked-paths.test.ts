import { describe, expect, test } from 'vitest';
import { withoutInputPaths } from '../../../src/activities/masked-paths.js';
import { CohortflowError } from '../../../src/domain/errors.js';

const STUDY = '/archive/Zwiebelfisch Quintessa/19511213';
const inputs = { study: [STUDY], settings: ['/archive'] };

describe('messages of steps', () => {
  test.each([
    [`reading ${STUDY}/series 1/Zwiebelfisch.CT.3.dcm: nothing is there`, 'reading ….CT.3.dcm: nothing is there'],
    [
      `ENOENT: no such file or directory, open '${STUDY}/1-001.dcm'`,
      "ENOENT: no such file or directory, open '1-001.dcm'",
    ],
    [`listing ${STUDY}/: the system says EIO`, 'listing …: the system says EIO'],
    ['reading /archive/radiomics.yaml: nothing is there', 'reading ….yaml: nothing is there'],
  ])('say nothing of where the inputs lie: %s', (message, shown) => {
    const masked = withoutInputPaths(new CohortflowError('FileNotFound', message), inputs);
    expect(masked).toMatchObject({ code: 'FileNotFound', message: shown });
  });

  test('details are masked as messages are; an error without paths stays the same object', () => {
    const error = new CohortflowError('IoError', 'x', { files: [`${STUDY}/a.dcm`], n: 1 });
    expect(withoutInputPaths(error, inputs)).toMatchObject({ details: { files: ['a.dcm'], n: 1 } });
    const plain = new Error('something else');
    expect(withoutInputPaths(plain, inputs)).toBe(plain);
  });

  test('an unknown error keeps being one', () => {
    expect(withoutInputPaths(new Error(`cannot read ${STUDY}`), inputs)).toMatchObject({ code: 'InternalError' });
  });

  test('keeps the code of an error whose details are no JSON', () => {
    const error = new CohortflowError('IoError', 'reading failed', { bytes: 3n });
    expect(withoutInputPaths(error, { study: ['/data/one'] })).toBe(error);
  });
});
