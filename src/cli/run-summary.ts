import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import type { UnitCounts } from '../contracts/outcome.js';
import type { CohortResult } from '../contracts/results.js';
import { failureKind, isFailureCode } from '../domain/failures/index.js';

/** A failed row of the outcomes table, as `--json` lists it. */
export interface FailedOutcome {
  readonly case_id: string;
  readonly modality: string;
  readonly study_or_sample: string;
  readonly step: string;
  readonly code: string;
  readonly message: string;
}

/** All rows of the outcomes table. */
export function readOutcomes(path: string): Readonly<Record<string, string>>[] {
  return parse(readFileSync(path), { columns: true });
}

export function failedOutcomes(rows: readonly Readonly<Record<string, string>>[]): FailedOutcome[] {
  return rows
    .filter((row) => row['outcome'] === 'failed')
    .map((row) => ({
      case_id: row['case_id'] ?? '',
      modality: row['modality'] ?? '',
      study_or_sample: row['study_or_sample'] ?? '',
      step: row['step'] ?? '',
      code: row['code'] ?? '',
      message: row['message'] ?? '',
    }));
}

function counts(name: string, found: UnitCounts | undefined): string[] {
  if (found === undefined) return [];
  const { total, done, reused, failed } = found;
  return [`${name.padEnd(9)} ${total} in all: ${done} done, ${reused} reused, ${failed} failed`];
}

/** Most cases listed one by one on a terminal. */
const MOST_CASES = 60;

/** What a person is told at the end: failures first, then every case, then where everything is. */
export function summaryLines(result: CohortResult): string[] {
  const rows = readOutcomes(result.outcomes);
  const lines: string[] = [''];
  const failed = failedOutcomes(rows);
  for (const row of failed) {
    const what = `${row.modality}${row.study_or_sample === '' ? '' : ` ${row.study_or_sample}`}, ${row.step}`;
    lines.push(`FAILED    ${row.case_id} (${what}) ${row.code}: ${row.message}`);
    if (isFailureCode(row.code)) lines.push(`          ${failureKind(row.code).remedy}`);
  }
  for (const table of [...result.featureGroups, ...(result.dataset === undefined ? [] : [result.dataset])]) {
    if (table.outcome === 'failed')
      lines.push(`FAILED    ${table.group} table ${table.code ?? ''}: ${table.message ?? ''}`);
  }
  if (result.clinical?.outcome === 'failed') {
    lines.push(`FAILED    clinical table ${result.clinical.code ?? ''}: ${result.clinical.message ?? ''}`);
  }
  const byCase = new Map<string, string[]>();
  for (const row of rows) {
    const list = byCase.get(row['case_id'] ?? '') ?? [];
    const part = row['study_or_sample'] === '' ? '' : `${row['study_or_sample'] ?? ''} `;
    list.push(
      `${part}${row['step'] ?? ''} ${row['outcome'] ?? ''}${row['code'] === '' ? '' : ` ${row['code'] ?? ''}`}`,
    );
    byCase.set(row['case_id'] ?? '', list);
  }
  const cases = [...byCase];
  for (const [id, steps] of cases.slice(0, MOST_CASES)) lines.push(`${id.padEnd(12)} ${steps.join(', ')}`);
  if (cases.length > MOST_CASES) lines.push(`… and ${cases.length - MOST_CASES} more in ${result.outcomes}`);
  lines.push('', ...counts('imaging', result.imaging), ...counts('genomics', result.genomics));
  const { clinical } = result;
  if (clinical !== undefined && clinical.outcome !== 'failed') {
    lines.push(
      `clinical  ${clinical.rows ?? 0} rows by ${clinical.columns ?? 0} columns, ${clinical.dropped ?? 0} dropped`,
    );
  }
  for (const { group, file, rows: n } of result.featureGroups) {
    if (file !== undefined) lines.push(`features  ${group}: ${n ?? 0} rows in ${file}`);
  }
  if (result.dataset?.file !== undefined)
    lines.push(`data set  ${result.dataset.rows ?? 0} rows in ${result.dataset.file}`);
  lines.push(`outcomes  ${result.outcomes}`);
  if (result.report !== undefined) lines.push(`report    ${result.report}`);
  return lines;
}
