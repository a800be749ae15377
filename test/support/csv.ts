import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';

/** Rows of a CSV file as objects of texts. */
export function readCsv(path: string): Record<string, string>[] {
  return readCsvText(readFileSync(path, 'utf8'));
}

/** Rows of a CSV as objects of texts. */
export function readCsvText(text: string): Record<string, string>[] {
  return parse<Record<string, string>>(text, { columns: true, bom: true });
}
