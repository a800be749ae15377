/** How a sample went on DRAGEN, from its tables of metrics; null where they do not say. */
export interface DragenMetrics {
  /** Percent of the input reads that map, 0 to 100. */
  readonly mappedPercent: number | null;
  /** Reads that came in, not pairs. */
  readonly reads: number | null;
  /** Fragments counted to transcripts. */
  readonly fragments: number | null;
  /** Orientation of the library as DRAGEN found it: `ISR`, …. */
  readonly libraryType: string | null;
}

/** Lines of `section,read group,name,value[,percent]`; those of the whole sample have no read group. */
function valuesOf(text: string, section: string): ReadonlyMap<string, readonly [value: string, percent?: string]> {
  const found = new Map<string, readonly [string, string?]>();
  for (const line of text.split(/\r?\n/)) {
    const [where, group, name = '', value = '', percent] = line.split(',');
    if (where === section && group === '') found.set(name, percent === undefined ? [value] : [value, percent]);
  }
  return found;
}

function numberOf(text: string | undefined): number | null {
  // Blanks would count as 0.
  const value = text === undefined || text.trim() === '' ? NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

/**
 * Reads `<prefix>.mapping_metrics.csv` and `<prefix>.quant.metrics.csv`. Versions differ in what they list: what is not
 * there is null, never a guess.
 */
export function dragenMetrics(mapping: string, quantification: string): DragenMetrics {
  const mapped = valuesOf(mapping, 'MAPPING/ALIGNING SUMMARY');
  const quantified = valuesOf(quantification, 'RNA QUANTIFICATION STATISTICS');
  const [reads] = mapped.get('Total input reads') ?? [];
  const [, percent] = mapped.get('Mapped reads') ?? [];
  const [fragments] = quantified.get('Transcript fragments') ?? [];
  const [libraryType] = quantified.get('Library orientation') ?? [];
  return {
    mappedPercent: numberOf(percent),
    reads: numberOf(reads),
    fragments: numberOf(fragments),
    libraryType: libraryType === undefined || libraryType === '' ? null : libraryType,
  };
}
