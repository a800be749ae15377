import {
  clinicalFeatures,
  DEFAULT_ID_NAME,
  idColumnOf,
  readClinicalTable,
  type ClinicalResult,
} from '../../domain/clinical/index.js';
import { csvText } from '../../domain/csv/index.js';
import { CohortflowError } from '../../domain/errors.js';
import type { JsonObject, Step, StepCall } from '../step.js';

export interface ClinicalParams extends JsonObject {
  /** A built-in specification's name or a parsed document; chosen by the table's columns when absent. */
  readonly spec?: string | JsonObject;
}

export interface ClinicalSummary extends JsonObject {
  readonly rows: number;
  readonly columns: number;
  readonly dropped: number;
  readonly spec: string;
  /** Name of the id column of `features.csv`, where the specification names another than `Case_ID`. */
  readonly idColumn?: string;
  readonly warnings: readonly string[];
}

/** Warnings may name many columns; a summary stays small. */
const MAX_WARNING = 300;

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function droppedCsv({ dropped }: ClinicalResult): string {
  const rows = dropped.map(({ caseId, row, reason }) => [caseId, String(row), reason]);
  return csvText(['case_id', 'row', 'reason'], rows);
}

async function run(call: StepCall<ClinicalParams>): Promise<ClinicalSummary> {
  const { params, inputs, io, signal } = call;
  const [path] = inputs['table'] ?? [];
  if (path === undefined) throw new CohortflowError('InvalidInput', 'table: the clinical table is missing');
  call.progress('reading the table');
  const table = readClinicalTable(await io.files.read(path, signal));
  signal.throwIfAborted();
  call.progress(`encoding ${table.rows.length} rows`);
  const result = clinicalFeatures(table, params.spec);
  const { features, encoding, bias, leakage } = result;
  const write = (name: string, content: string): Promise<void> => io.files.write(`${io.outputFolder}/${name}`, content);
  await write('features.csv', csvText(features.columns, features.rows));
  await write('dropped.csv', droppedCsv(result));
  await write('bias-report.json', json(bias));
  await write('leakage.json', json(leakage));
  await write('encoding.json', json(encoding));
  const idColumn = idColumnOf(encoding);
  return {
    rows: features.rows.length,
    columns: features.columns.length,
    dropped: result.dropped.length,
    spec: result.spec,
    ...(idColumn === DEFAULT_ID_NAME ? {} : { idColumn }),
    warnings: result.warnings.map((text) => (text.length > MAX_WARNING ? `${text.slice(0, MAX_WARNING)}…` : text)),
  };
}

/**
 * `clinical.features`: table (CSV) → `features.csv` (one row per case), `dropped.csv` (case_id, row, reason),
 * `bias-report.json`, `leakage.json`, `encoding.json`.
 */
export const clinicalStep: Step<ClinicalParams, ClinicalSummary> = { name: 'clinical.features', version: 2, run };
