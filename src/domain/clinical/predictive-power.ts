/*
 * How well one column alone tells the target, without a model that could overfit: values are put into groups (categories,
 * or tenths of a number's range by rank; missing is a group of its own, for absence often tells most), and every row is
 * predicted by the mean target of its group in the other folds. The idea is that of target-leakage analyses (Amazon
 * SageMaker Data Wrangler scores columns by cross-validated ROC AUC or R²); grouping and folds are this product's.
 */

export const FOLDS = 5;
const BINS = 10;
/** Rows that a group's mean is drawn towards the overall mean by: keeps groups of one from looking perfect. */
const PRIOR = 1;

/** Groups of numbers by rank: equal values share a group. */
export function rankBins(values: readonly (number | undefined)[]): string[] {
  const sorted = values.filter((value) => value !== undefined).sort((a, b) => a - b);
  const cuts: number[] = [];
  for (let bin = 1; bin < BINS; bin += 1) {
    const cut = sorted[Math.floor((bin * sorted.length) / BINS)];
    if (cut !== undefined && cut !== cuts.at(-1)) cuts.push(cut);
  }
  return values.map((value) => {
    if (value === undefined) return 'missing';
    const above = cuts.findIndex((cut) => value < cut);
    return String(above < 0 ? cuts.length : above);
  });
}

/** Ranks from 0; equal values share the mean of theirs. */
export function ranksOf(values: readonly number[]): number[] {
  const order = values.map((_, at) => at).sort((a, b) => values[a]! - values[b]!);
  const ranks = new Array<number>(values.length).fill(0);
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end + 1 < order.length && values[order[end + 1]!] === values[order[start]!]) end += 1;
    for (let at = start; at <= end; at += 1) ranks[order[at]!] = (start + end) / 2;
    start = end + 1;
  }
  return ranks;
}

/** Folds that hold each class in equal parts, by order of the rows: nothing random, equal input gives equal scores. */
export function stratifiedFolds(classes: readonly (string | number)[]): number[] {
  const next = new Map<string | number, number>();
  let start = 0;
  return classes.map((label) => {
    const position = next.get(label) ?? start++;
    next.set(label, position + 1);
    return position % FOLDS;
  });
}

/** Prediction of every row of one fold from the rows of the others. */
function foldPredictions(
  groups: readonly string[],
  target: readonly number[],
  folds: readonly number[],
  fold: number,
): number[] {
  const sums = new Map<string, { sum: number; n: number }>();
  let sum = 0;
  let n = 0;
  groups.forEach((group, row) => {
    if (folds[row] === fold) return;
    const entry = sums.get(group) ?? { sum: 0, n: 0 };
    entry.sum += target[row] as number;
    entry.n += 1;
    sums.set(group, entry);
    sum += target[row] as number;
    n += 1;
  });
  const mean = n === 0 ? 0 : sum / n;
  return groups.map((group) => {
    const entry = sums.get(group);
    return entry === undefined ? mean : (entry.sum + PRIOR * mean) / (entry.n + PRIOR);
  });
}

/**
 * Area under the ROC curve by ranks (Mann–Whitney), ties counted half; undefined when a class is empty.
 */
export function rocAuc(scores: readonly number[], positive: readonly boolean[]): number | undefined {
  const order = scores.map((_, row) => row).sort((a, b) => (scores[a] as number) - (scores[b] as number));
  let positives = 0;
  let rankSum = 0;
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end + 1 < order.length && scores[order[end + 1] as number] === scores[order[start] as number]) end += 1;
    for (let at = start; at <= end; at += 1) {
      if (positive[order[at] as number] !== true) continue;
      positives += 1;
      rankSum += (start + end) / 2 + 1;
    }
    start = end + 1;
  }
  const negatives = scores.length - positives;
  if (positives === 0 || negatives === 0) return undefined;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/**
 * Cross-validated AUC of one class against the rest. The curve is drawn within each fold and the areas are averaged:
 * pooling predictions of different folds would score a column without any information below one half.
 */
export function crossValidatedAuc(groups: readonly string[], positive: readonly boolean[]): number | undefined {
  const target = positive.map(Number);
  const folds = stratifiedFolds(target);
  let area = 0;
  let weight = 0;
  for (let fold = 0; fold < FOLDS; fold += 1) {
    const predictions = foldPredictions(groups, target, folds, fold);
    const rows = folds.flatMap((own, row) => (own === fold ? [row] : []));
    const auc = rocAuc(
      rows.map((row) => predictions[row] as number),
      rows.map((row) => positive[row] as boolean),
    );
    if (auc === undefined) continue;
    area += auc * rows.length;
    weight += rows.length;
  }
  return weight === 0 ? undefined : area / weight;
}

/** Cross-validated share of the variance of a numeric target that a column explains: 1 at best, below 0 when useless. */
export function crossValidatedR2(groups: readonly string[], target: readonly number[]): number | undefined {
  if (target.length < FOLDS) return undefined;
  const mean = target.reduce((sum, value) => sum + value, 0) / target.length;
  const folds = target.map((_, row) => row % FOLDS);
  let residual = 0;
  let spread = 0;
  for (let fold = 0; fold < FOLDS; fold += 1) {
    const predictions = foldPredictions(groups, target, folds, fold);
    target.forEach((value, row) => {
      if (folds[row] !== fold) return;
      residual += (value - (predictions[row] as number)) ** 2;
      spread += (value - mean) ** 2;
    });
  }
  return spread === 0 ? undefined : 1 - residual / spread;
}

/**
 * Half width of a 95 % interval of an AUC (Hanley and McNeil 1982): on a hundred rows it is wide, and a verdict has to say
 * so.
 */
export function aucHalfWidth(auc: number, positives: number, negatives: number): number {
  const q1 = auc / (2 - auc);
  const q2 = (2 * auc * auc) / (1 + auc);
  const variance =
    (auc * (1 - auc) + (positives - 1) * (q1 - auc * auc) + (negatives - 1) * (q2 - auc * auc)) /
    (positives * negatives);
  return 1.96 * Math.sqrt(Math.max(0, variance));
}
