import { describe, expect, it } from 'vitest';
import { Breaker } from '../../../src/workflows/breaker.js';
import type { ChildEnd } from '../../../src/workflows/children.js';

const failed = (code: string): ChildEnd => ({ outcome: 'failed', step: 'imaging.convert', code });
const done: ChildEnd = { outcome: 'done' };

function codesAtWhichItTrips(limit: number, ends: readonly ChildEnd[]): number[] {
  const breaker = new Breaker(limit);
  return ends.flatMap((end, at) => (breaker.note(end) === undefined ? [] : [at]));
}

describe('the circuit breaker trips', () => {
  const full = failed('DiskFull');

  it('at the last of so many failures in a row with one code of the environment, and then counts anew', () => {
    expect(codesAtWhichItTrips(3, [full, full, full, full, full, full])).toEqual([2, 5]);
    const trip = new Breaker(1).note(full);
    expect(trip).toMatchObject({ code: 'DiskFull', failures: 1 });
  });

  it.each([
    ['one that was done is between them', [full, full, done, full, full]],
    ['a fault of the data is between them', [full, full, failed('SegNotFound'), full, full]],
    ['another code is between them', [full, full, failed('IoError'), full, full]],
    ['they are faults of the data', [1, 2, 3, 4].map(() => failed('SegNotFound'))],
    ['the code is unknown', [1, 2, 3, 4].map(() => failed('NoSuchCode'))],
  ])('not when %s', (_title, ends) => {
    expect(codesAtWhichItTrips(3, ends)).toEqual([]);
  });

  it('in spite of cancelled units between them, which say nothing', () => {
    expect(codesAtWhichItTrips(3, [full, { outcome: 'cancelled' }, full, full])).toEqual([3]);
  });
});
