/** Ranks with ties averaged. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const result = new Array<number>(values.length);
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end + 1 < order.length && values[order[end + 1]!] === values[order[start]!]) end += 1;
    for (let at = start; at <= end; at += 1) result[order[at]!] = (start + end) / 2;
    start = end + 1;
  }
  return result;
}

/** Spearman's rank correlation of two equally long lists. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  const x = ranks(a);
  const y = ranks(b);
  const mean = (a.length - 1) / 2;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (let i = 0; i < a.length; i += 1) {
    xy += (x[i]! - mean) * (y[i]! - mean);
    xx += (x[i]! - mean) ** 2;
    yy += (y[i]! - mean) ** 2;
  }
  return xy / Math.sqrt(xx * yy);
}

/** |a − b| relative to the larger of |b| and `floor` (a value that is zero in the reference is compared absolutely). */
export function relativeError(a: number, b: number, floor = 1e-9): number {
  return Math.abs(a - b) / Math.max(Math.abs(b), floor);
}
