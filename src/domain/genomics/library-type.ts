import type { Strandedness } from '../cohort/manifest.js';

/** Salmon's library type for a declared strandedness (inward pairs, as Illumina makes them). */
export function libraryType(strandedness: Strandedness, paired: boolean): string {
  switch (strandedness) {
    case 'auto':
      return 'A';
    case 'forward':
      return paired ? 'ISF' : 'SF';
    case 'reverse':
      return paired ? 'ISR' : 'SR';
    case 'unstranded':
      return paired ? 'IU' : 'U';
  }
}

/** Fragments by the orientation Salmon saw (lib_format_counts.json). */
export type FormatCounts = Readonly<Record<string, unknown>>;

function countOf(counts: FormatCounts, ...names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (typeof counts[name] === 'number' ? counts[name] : 0), 0);
}

/** Fewer fragments say nothing about a library. */
const ENOUGH = 100;

/** The strandedness the mapped fragments speak for; undefined when they are too few or undecided. */
export function observedStrandedness(counts: FormatCounts): Exclude<Strandedness, 'auto'> | undefined {
  const forward = countOf(counts, 'ISF', 'SF', 'OSF', 'MSF');
  const reverse = countOf(counts, 'ISR', 'SR', 'OSR', 'MSR');
  if (forward + reverse < ENOUGH) return undefined;
  const share = forward / (forward + reverse);
  if (share >= 0.8) return 'forward';
  if (share <= 0.2) return 'reverse';
  return share > 0.35 && share < 0.65 ? 'unstranded' : undefined;
}
