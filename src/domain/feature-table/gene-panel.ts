import { CohortflowError } from '../errors.js';

/** Genes that go into a table when nothing is asked for: SageMaker's 2,500 features less the columns it adds. */
export const DEFAULT_PANEL = 2_490;

/** Running mean and variance of one column (Welford). */
export class Spread {
  private count = 0;
  private mean = 0;
  private squares = 0;

  add(value: number): void {
    this.count += 1;
    const before = value - this.mean;
    this.mean += before / this.count;
    this.squares += before * (value - this.mean);
  }

  get variance(): number {
    return this.count < 2 ? 0 : this.squares / (this.count - 1);
  }
}

/** How many genes, or which. */
export type PanelChoice = number | readonly string[];

/**
 * Positions of the genes that go into a table, ascending: those named; else all, when they are few enough; else the ones
 * whose log2(TPM + 1) varies most over the cohort (ties by id). The rule looks at no outcome, so it leaks none.
 *
 * @throws CohortflowError `GeneNotFound`
 */
export function genePanel(
  ids: readonly string[],
  spreads: readonly Spread[],
  choice: PanelChoice = DEFAULT_PANEL,
): number[] {
  if (typeof choice !== 'number') {
    const at = new Map(ids.map((id, index) => [id, index]));
    const missing = choice.filter((id) => !at.has(id));
    if (missing.length > 0) {
      throw new CohortflowError(
        'GeneNotFound',
        `${missing.length} genes are not in the matrix: ${missing.slice(0, 10).join(', ')}`,
      );
    }
    return choice.map((id) => at.get(id)!);
  }
  const all = ids.map((_, index) => index);
  if (ids.length <= choice) return all;
  const ranked = all.sort((a, b) => spreads[b]!.variance - spreads[a]!.variance || (ids[a]! < ids[b]! ? -1 : 1));
  return ranked.slice(0, choice).sort((a, b) => a - b);
}

/**
 * Positions of the genes that go into a feature group, ascending: those that a data set is to have, named or by their number,
 * and beside them as many of the others as fit, by the same rule. Named genes that the matrix lacks are for the data set to
 * complain about.
 */
export function groupPanel(ids: readonly string[], spreads: readonly Spread[], choice?: PanelChoice): number[] {
  if (choice === undefined) return genePanel(ids, spreads);
  if (typeof choice === 'number') return genePanel(ids, spreads, Math.max(choice, DEFAULT_PANEL));
  const wanted = new Set(choice);
  const all = ids.map((_, index) => index);
  const named = all.filter((index) => wanted.has(ids[index]!));
  const others = all.filter((index) => !wanted.has(ids[index]!));
  const rest = genePanel(
    others.map((index) => ids[index]!),
    others.map((index) => spreads[index]!),
    Math.max(0, DEFAULT_PANEL - named.length),
  );
  return [...named, ...rest.map((index) => others[index]!)].sort((a, b) => a - b);
}
