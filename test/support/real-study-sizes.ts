/** Sizes of the 162 subjects of NSCLC Radiogenomics, as far as they are published: smallest, median, p95, largest, sum. */
export const REAL_STUDIES = {
  count: 162,
  smallest: 111e6,
  median: 352e6,
  p95: 792e6,
  largest: 1300e6,
  sum: 73.6e9,
} as const;

/**
 * Sizes with exactly those figures: between the published ones they lie evenly, with one bend at the third quartile that
 * gives the sum. Mixed in order, as subjects are.
 */
export function realStudySizes(): number[] {
  const { count, smallest, median, p95, largest, sum } = REAL_STUDIES;
  const medianAt = Math.ceil(0.5 * count) - 1;
  const p95At = Math.ceil(0.95 * count) - 1;
  const bendAt = Math.round((medianAt + p95At) / 2);
  const quarterAt = Math.round(medianAt / 2);
  const between = (from: number, to: number, share: number): number => from + (to - from) * share;
  const sizes = (quarter: number, bend: number): number[] =>
    Array.from({ length: count }, (_, n) => {
      if (n <= quarterAt) return between(smallest, quarter, n / quarterAt);
      if (n <= medianAt) return between(quarter, median, (n - quarterAt) / (medianAt - quarterAt));
      if (n <= bendAt) return between(median, bend, (n - medianAt) / (bendAt - medianAt));
      if (n <= p95At) return between(bend, p95, (n - bendAt) / (p95At - bendAt));
      return between(p95, largest, (n - p95At) / (count - 1 - p95At));
    });
  // The sum grows evenly with the bend.
  const sumOf = (bend: number): number => sizes(300e6, bend).reduce((total, size) => total + size, 0);
  const [low, high] = [sumOf(median), sumOf(p95)];
  const bend = between(median, p95, (sum - low) / (high - low));
  const sorted = sizes(300e6, bend).map((size) => Math.round(size));
  // 61 and 162 have no common factor: each is taken once.
  return sorted.map((_, n) => sorted[(n * 61) % count] ?? 0);
}
