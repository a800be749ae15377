import { describe, expect, it } from 'vitest';
import { Breaker } from '../../../src/workflows/breaker.js';
import type { ChildEnd } from '../../../src/workflows/children.js';

const failed = (code: string): ChildEnd => ({ outcome: 'failed', step: 'imaging.convert', code });
const done: ChildEnd = { outcome: 'done' };

/** The ends, by their position, at which it trips, and the units that are then held. */
function trips(limit: number, ends: readonly ChildEnd[]): [number, readonly number[]][] {
  const breaker = new Breaker<number>(limit);
  return ends.flatMap((end, at) => {
    const { trip, held } = breaker.note(at, end);
    return trip === undefined ? [] : [[at, held] as [number, readonly number[]]];
  });
}

describe('the circuit breaker trips', () => {
  const full = failed('DiskFull');

  it('at the last of so many failures in a row with one code of the environment, and holds all of them', () => {
    expect(trips(3, [done, full, full, full])).toEqual([[3, [1, 2, 3]]]);
    expect(new Breaker(1).note('a', full).trip).toMatchObject({ code: 'DiskFull', failures: 1 });
  });

  it('once, and holds what fails so after that, until it is closed', () => {
    const breaker = new Breaker<string>(2);
    breaker.note('a', full);
    expect(breaker.note('b', full)).toMatchObject({ held: ['a', 'b'], trip: { code: 'DiskFull', failures: 2 } });
    expect(breaker.note('c', full)).toEqual({ held: ['c'] });
    expect(breaker.note('d', failed('SegNotFound'))).toEqual({ held: [] });
    expect(breaker.note('e', done)).toEqual({ held: [] });
    breaker.close();
    expect(breaker.note('f', full)).toEqual({ held: [] });
    expect(breaker.note('g', full).held).toEqual(['f', 'g']);
  });

  it.each([
    ['one that was done is between them', [full, full, done, full, full]],
    ['a fault of the data is between them', [full, full, failed('SegNotFound'), full, full]],
    ['another code is between them', [full, full, failed('IoError'), full, full]],
    ['they are faults of the data', [1, 2, 3, 4].map(() => failed('SegNotFound'))],
    ['the code is unknown', [1, 2, 3, 4].map(() => failed('NoSuchCode'))],
  ])('not when %s', (_title, ends) => {
    expect(trips(3, ends)).toEqual([]);
  });

  it('in a later run of the workflow, which is given the row of the one before', () => {
    const before = new Breaker<string>(3);
    before.note('a', full);
    before.note('b', full);
    expect(new Breaker(3, before.row).note('c', full)).toMatchObject({ held: ['a', 'b', 'c'], trip: { failures: 3 } });
  });

  it('when units elsewhere fail so, and then holds those of its own row with that code', () => {
    const breaker = new Breaker<string>(3);
    breaker.note('a', full);
    expect(breaker.trip('IoError')).toEqual([]);
    breaker.close();
    breaker.note('b', full);
    expect(breaker.trip('DiskFull')).toEqual(['b']);
    expect(breaker.note('c', full)).toEqual({ held: ['c'] });
  });

  it('not for those that a retry has taken up', () => {
    const breaker = new Breaker<string>(2);
    breaker.note('a', full);
    breaker.forget();
    expect(breaker.note('b', full)).toEqual({ held: [] });
  });

  it('in spite of cancelled units between them, which say nothing', () => {
    expect(trips(3, [full, { outcome: 'cancelled' }, full, full])).toEqual([[3, [0, 2, 3]]]);
  });
});
