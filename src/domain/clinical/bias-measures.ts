/*
 * Pre-training bias measures between a facet group d (a value of a sensitive column) and the others a, as Amazon SageMaker
 * Clarify documents them. Where Clarify's open-source code compares only the labels that both groups have, the documented
 * definition is followed here: a label that one group lacks counts with proportion 0, and KL may be infinite.
 */

/** How often each label occurs in a group. */
export type LabelCounts = ReadonlyMap<string, number>;

export interface BiasMeasures {
  /** Class imbalance (na − nd)/(na + nd): −1 … 1, positive when d is the smaller group. */
  readonly CI: number;
  /** Difference in positive proportions qa − qd: −1 … 1. */
  readonly DPL: number | null;
  /** Kullback–Leibler divergence Σ Pa ln(Pa/Pd), nats; null when infinite (a label that d never has). */
  readonly KL: number | null;
  /** Jensen–Shannon divergence, nats: 0 … ln 2. */
  readonly JS: number;
  /** L2 distance of the label distributions: 0 … √2. */
  readonly LP: number;
  /** Total variation distance: half the L1 distance, 0 … 1. */
  readonly TVD: number;
  /** Largest difference of one label's proportion: 0 … 1. */
  readonly KS: number;
}

function total(counts: LabelCounts): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}

/** Proportions of every label that either group has, side by side. */
function proportions(a: LabelCounts, d: LabelCounts): [number, number][] {
  const na = total(a);
  const nd = total(d);
  return [...new Set([...a.keys(), ...d.keys()])].map((label) => [(a.get(label) ?? 0) / na, (d.get(label) ?? 0) / nd]);
}

/** Σ p ln(p/q) with 0·ln 0 = 0; infinite when q lacks what p has. */
function divergence(pairs: readonly (readonly [number, number])[]): number {
  return pairs.reduce((sum, [p, q]) => (p === 0 ? sum : sum + p * Math.log(p / q)), 0);
}

/**
 * The measures that compare the labels of two groups, neither of them empty.
 *
 * @param positive tells the positive labels; undefined where the target has none (DPL is then null)
 */
export function biasMeasures(
  a: LabelCounts,
  d: LabelCounts,
  positive: ((label: string) => boolean) | undefined,
): BiasMeasures {
  const na = total(a);
  const nd = total(d);
  if (na === 0 || nd === 0) throw new RangeError('both groups need members');
  const pairs = proportions(a, d);
  const middle = pairs.map(([pa, pd]): [number, number] => [pa, (pa + pd) / 2]);
  const middleD = pairs.map(([pa, pd]): [number, number] => [pd, (pa + pd) / 2]);
  const differences = pairs.map(([pa, pd]) => Math.abs(pa - pd));
  const kl = divergence(pairs);
  const share = (counts: LabelCounts, n: number): number =>
    [...counts].reduce((sum, [label, count]) => (positive?.(label) === true ? sum + count : sum), 0) / n;
  return {
    CI: (na - nd) / (na + nd),
    DPL: positive === undefined ? null : share(a, na) - share(d, nd),
    KL: Number.isFinite(kl) ? kl : null,
    JS: (divergence(middle) + divergence(middleD)) / 2,
    LP: Math.hypot(...differences),
    TVD: differences.reduce((sum, value) => sum + value, 0) / 2,
    KS: Math.max(...differences),
  };
}

/** One subgroup of the conditional measure: positives and negatives, overall and in d. */
export interface Stratum {
  readonly positive: number;
  readonly negative: number;
  readonly positiveD: number;
  readonly negativeD: number;
}

/**
 * Conditional demographic disparity in labels: the mean over subgroups, weighted by size, of (share of d among the
 * negatives) − (share of d among the positives); −1 … 1, positive when d is over-represented among the negatives. An empty
 * side of a subgroup counts as share 0.
 */
export function conditionalDisparity(strata: readonly Stratum[]): number | null {
  const size = strata.reduce((sum, { positive, negative }) => sum + positive + negative, 0);
  if (size === 0) return null;
  const weighted = strata.reduce((sum, { positive, negative, positiveD, negativeD }) => {
    const rejected = negative === 0 ? 0 : negativeD / negative;
    const accepted = positive === 0 ? 0 : positiveD / positive;
    return sum + (positive + negative) * (rejected - accepted);
  }, 0);
  return weighted / size;
}
