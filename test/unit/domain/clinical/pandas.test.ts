import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { clinicalFeatures, readClinicalTable } from '../../../../src/domain/clinical/index.js';
import { csvText } from '../../../../src/domain/csv/index.js';

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), 'pandas');
const TABLES = [1, 2, 3, 4, 5, 6, 7, 8];

describe('one-hot columns and numbers, against pandas (pandas/oracle.py made the files)', () => {
  it.each(TABLES)('table %i: names, order, values and the way numbers are written', (number) => {
    const table = readClinicalTable(readFileSync(join(FOLDER, `table-${number}.csv`)));
    const { features } = clinicalFeatures(table, {
      oneHot: table.columns.filter((name) => name.startsWith('cat')),
      numeric: table.columns.filter((name) => name.startsWith('num')),
      idName: 'case_id',
      ignoreCase: false,
      trim: false,
      names: { remove: '', strict: false, limit: 1000, cutTo: 1000 },
    });
    expect(csvText(features.columns, features.rows)).toBe(readFileSync(join(FOLDER, `expected-${number}.csv`), 'utf8'));
  });
});
