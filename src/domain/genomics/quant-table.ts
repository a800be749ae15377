import { CohortflowError } from '../errors.js';

/** Columns of a table of quantified transcripts or genes, in Salmon's order. */
export const QUANT_COLUMNS = ['Name', 'Length', 'EffectiveLength', 'TPM', 'NumReads'] as const;

/** One quantified transcript or gene. Lengths in bases; TPM: transcripts per million; reads: estimated fragments. */
export interface QuantRow {
  readonly name: string;
  readonly length: number;
  readonly effectiveLength: number;
  readonly tpm: number;
  readonly reads: number;
}

/**
 * Reads a `quant.sf` or `quant.genes.sf` (Salmon, DRAGEN). Columns are found by name, so their order does not matter.
 *
 * @param shown name of the file for messages
 * @throws CohortflowError `DamagedQuantification` naming file and line
 */
export function parseQuant(text: string, shown: string): QuantRow[] {
  const lines = text.split(/\r?\n/);
  const header = (lines[0] ?? '').replace(/^\uFEFF/, '').split('\t');
  const at = QUANT_COLUMNS.map((name) => header.indexOf(name));
  const missing = QUANT_COLUMNS.filter((_, index) => at[index] === -1);
  if (missing.length > 0) {
    throw new CohortflowError('DamagedQuantification', `${shown}: the header has no ${missing.join(', ')}`);
  }
  const rows: QuantRow[] = [];
  const names = new Set<string>();
  for (let line = 1; line < lines.length; line += 1) {
    const text = lines[line]!;
    if (text === '') continue;
    const cells = text.split('\t');
    // An empty cell would be a nought.
    const numberAt = (column: number): number => ((cells[column] ?? '').trim() === '' ? NaN : Number(cells[column]));
    const [length, effectiveLength, tpm, reads] = at.slice(1).map(numberAt) as [number, number, number, number];
    const name = cells[at[0]!] ?? '';
    if (name === '' || ![length, effectiveLength, tpm, reads].every((value) => Number.isFinite(value) && value >= 0)) {
      throw new CohortflowError(
        'DamagedQuantification',
        `${shown}, line ${line + 1}: a name and four numbers from 0 are wanted`,
      );
    }
    if (names.has(name)) {
      throw new CohortflowError('DamagedQuantification', `${shown}, line ${line + 1}: a name that occurs twice`);
    }
    names.add(name);
    rows.push({ name, length, effectiveLength, tpm, reads });
  }
  if (rows.length === 0) throw new CohortflowError('DamagedQuantification', `${shown}: no row below the header`);
  return rows;
}

/** Writes a table of quantified transcripts or genes, numbers in their shortest exact form. */
export function formatQuant(rows: readonly QuantRow[]): string {
  const lines = rows.map(({ name, length, effectiveLength, tpm, reads }) =>
    [name, length, effectiveLength, tpm, reads].join('\t'),
  );
  return `${[QUANT_COLUMNS.join('\t'), ...lines].join('\n')}\n`;
}

/** True of a table of genes, by the name of its file: one that needs no annotation. */
export function isGeneTable(name: string): boolean {
  return /genes?\.sf(\.gz)?$/.test(name);
}
