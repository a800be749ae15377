/** p95 over median of the 162 subjects of NSCLC Radiogenomics that the article worked on (792 MB over 352 MB). */
export const USUAL_SPREAD = 792 / 352;

/** The 95th percentile of the standard normal distribution. */
const Z95 = 1.6448536269514722;

/**
 * The quantile function of the standard normal distribution, by the rational approximation of Abramowitz and Stegun
 * 26.2.23 (absolute error below 4.5e-4: sizes that are guessed need no more).
 */
function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  const t = Math.sqrt(-2 * Math.log(p));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return above / below - t;
}

/**
 * Sizes of units that are not there yet: the middles of `count` equal parts of a log-normal distribution, in an order that
 * mixes small and large.
 *
 * @param median in bytes
 * @param spread 95th percentile over median
 */
export function expectedSizes(count: number, median: number, spread: number = USUAL_SPREAD): number[] {
  const deviation = Math.log(spread) / Z95;
  const sorted = Array.from({ length: count }, (_, n) =>
    Math.round(median * Math.exp(deviation * normalQuantile((n + 0.5) / count))),
  );
  // The golden ratio's multiples fall evenly: no stretch of the order is all small or all large.
  return sorted
    .map((size, n) => ({ size, place: (n * 0.6180339887498949) % 1 }))
    .sort((a, b) => a.place - b.place)
    .map(({ size }) => size);
}

/** What there is to say about some sizes. */
export interface SizeSummary {
  readonly count: number;
  readonly bytes: number;
  readonly median: number;
  readonly p95: number;
  readonly largest: number;
}

export function summarise(sizes: readonly number[]): SizeSummary {
  const sorted = [...sizes].sort((a, b) => a - b);
  // The smallest value that so large a part does not exceed.
  const quantile = (p: number): number => sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? 0;
  return {
    count: sorted.length,
    bytes: sorted.reduce((sum, size) => sum + size, 0),
    median: quantile(0.5),
    p95: quantile(0.95),
    largest: sorted.at(-1) ?? 0,
  };
}
