import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/domain/seeded-random.js';

describe('seeded random numbers', () => {
  it('follow from the seed alone', () => {
    const draw = (seed: number): number[] => {
      const random = seededRandom(seed);
      return [random.uniform(), random.normal(), random.below(1000)];
    };
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
  });

  it('have the mean and spread of their distributions', () => {
    const random = seededRandom(11);
    const normal = Array.from({ length: 20_000 }, () => random.normal());
    const mean = normal.reduce((sum, value) => sum + value, 0) / normal.length;
    const variance = normal.reduce((sum, value) => sum + (value - mean) ** 2, 0) / normal.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    const counts = [0, 0, 0, 0];
    for (let n = 0; n < 8_000; n += 1) counts[random.below(4)]! += 1;
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(200);
  });

  it('refuse to pick from nothing', () => {
    expect(() => seededRandom(1).pick([])).toThrow(RangeError);
  });
});
