import { CohortflowError } from '../../domain/errors.js';
import type { Step } from '../step.js';

/** File that the step leaves. */
export const ROWS_FILE = 'rows.csv';

/**
 * Reads a feature group's Parquet file back as CSV, for the activity that sends its rows to a store: what reads Parquet does
 * not run inside a worker. Input `rows`: the file.
 */
export const readFeatureRowsStep: Step<Record<string, never>, Record<string, never>> = {
  name: 'features.read',
  version: 1,
  async run({ inputs, io, signal }) {
    const [parquet] = inputs['rows'] ?? [];
    if (parquet === undefined) throw new CohortflowError('InvalidInput', 'features.read needs the input rows');
    await io.tables.parquetToCsv(parquet, `${io.outputFolder}/${ROWS_FILE}`, signal);
    return {};
  },
};
