import { seededRandom } from '../../src/domain/seeded-random.js';

/** The end of the last study when each starts on whichever of `width` places is free first. */
export function idealMakespan(times: readonly number[], width: number): number {
  const free = new Array<number>(width).fill(0);
  for (const time of times) {
    const first = free.indexOf(Math.min(...free));
    free[first] = (free[first] ?? 0) + time;
  }
  return Math.max(...free);
}

/** Log-normal times of the given mean (the exponent's deviation is 0.5: a long tail, as segmentations have). */
export function logNormalTimes(count: number, mean: number, seed: number): number[] {
  const random = seededRandom(seed);
  const deviation = 0.5;
  return Array.from({ length: count }, () => mean * Math.exp(deviation * random.normal() - deviation ** 2 / 2));
}
