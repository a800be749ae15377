import { decodeText, scanCsv } from '../../domain/csv/index.js';
import { CohortflowError } from '../../domain/errors.js';
import type { CohortSizes } from './measure-cohort.js';

const MOST_NAMED = 5;

/**
 * Sizes from a table `case,bytes` (header needed), with `modality` (imaging, which is the default, or genomics) as a third
 * column where there are reads too. The case is there for whoever writes the table; nothing is done with it.
 *
 * @throws CohortflowError `InvalidInput` naming the rows that cannot be read
 */
export function readSizes(content: string | Uint8Array, name: string): CohortSizes {
  const { text, problem } = decodeText(content);
  if (problem !== undefined) throw new CohortflowError('InvalidInput', `${name}: ${problem.message}`);
  let columns: Readonly<Record<'bytes' | 'modality', number>> | undefined;
  const imaging: number[] = [];
  const reads: number[] = [];
  const bad: number[] = [];
  scanCsv(text, (cells, row) => {
    if (cells.every((cell) => cell.trim() === '')) return;
    if (columns === undefined) {
      const names = cells.map((cell) => cell.trim().toLowerCase());
      columns = { bytes: names.indexOf('bytes'), modality: names.indexOf('modality') };
      return;
    }
    const bytes = Number(cells[columns.bytes]?.trim() || 'none');
    const modality = columns.modality < 0 ? 'imaging' : (cells[columns.modality] ?? '').trim();
    const known = modality === 'imaging' || modality === 'genomics';
    if (!known || !Number.isFinite(bytes) || bytes < 0) bad.push(row);
    else (modality === 'imaging' ? imaging : reads).push(bytes);
  });
  if (columns === undefined || columns.bytes < 0) {
    throw new CohortflowError('InvalidInput', `${name}: a header with the columns case and bytes is wanted`);
  }
  if (bad.length > 0) {
    const rows = `${bad.slice(0, MOST_NAMED).join(', ')}${bad.length > MOST_NAMED ? ', …' : ''}`;
    const message = `${name}: no number of bytes, or no modality, in row ${rows}`;
    throw new CohortflowError('InvalidInput', message, { rows: bad.slice(0, 1000) });
  }
  return { imaging, genomics: reads.map((bytes) => ({ bytes, fromSra: false })), unknown: 0 };
}
