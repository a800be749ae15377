import { createFiles } from '../app/create-files.js';
import type { UnitCounts } from '../contracts/outcome.js';
import type { CohortResult } from '../contracts/results.js';
import { csvRecords } from '../domain/csv/index.js';
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

/** What of the outcomes table is shown: a table of millions of rows is read once and not kept. */
export interface OutcomeDigest {
  /** The first failed rows; `failedInAll` says how many there are. */
  readonly failed: readonly FailedOutcome[];
  readonly failedInAll: number;
  /** The first cases with what became of each step. */
  readonly cases: readonly (readonly [caseId: string, steps: readonly string[]])[];
  readonly casesInAll: number;
}

/** Most failures kept one by one. */
const MOST_FAILURES = 10_000;

/** Most cases listed one by one on a terminal. */
const MOST_CASES = 60;

/** Most failures listed one by one on a terminal. */
const MOST_SAID = 500;

function failedOutcome(row: Readonly<Record<string, string>>): FailedOutcome {
  const { case_id = '', modality = '', study_or_sample = '', step = '', code = '', message = '' } = row;
  return { case_id, modality, study_or_sample, step, code, message };
}

function stepText({
  study_or_sample = '',
  step = '',
  outcome = '',
  code = '',
}: Readonly<Record<string, string>>): string {
  return [study_or_sample, step, outcome, code].filter((text) => text !== '').join(' ');
}

/** Reads the outcomes table, whose rows stand together by case. */
export async function readOutcomes(path: string): Promise<OutcomeDigest> {
  const failed: FailedOutcome[] = [];
  const cases: [string, string[]][] = [];
  let failedInAll = 0;
  let casesInAll = 0;
  let current: string | undefined;
  for await (const row of csvRecords(createFiles().lines(path))) {
    const { case_id: caseId = '' } = row;
    if (caseId !== current) {
      casesInAll += 1;
      if (cases.length < MOST_CASES) cases.push([caseId, []]);
    }
    current = caseId;
    if (casesInAll <= MOST_CASES) cases.at(-1)?.[1].push(stepText(row));
    if (row['outcome'] !== 'failed') continue;
    failedInAll += 1;
    if (failed.length < MOST_FAILURES) failed.push(failedOutcome(row));
  }
  return { failed, failedInAll, cases, casesInAll };
}

function counts(name: string, found: UnitCounts | undefined): string[] {
  if (found === undefined) return [];
  const { total, done, reused, failed } = found;
  return [`${name.padEnd(9)} ${total} in all: ${done} done, ${reused} reused, ${failed} failed`];
}

/** What a person is told at the end: failures first, then every case, then where everything is. */
export async function summaryLines(result: CohortResult): Promise<string[]> {
  const { failed, failedInAll, cases, casesInAll } = await readOutcomes(result.outcomes);
  const lines: string[] = [''];
  for (const row of failed.slice(0, MOST_SAID)) {
    const what = `${row.modality}${row.study_or_sample === '' ? '' : ` ${row.study_or_sample}`}, ${row.step}`;
    lines.push(`FAILED    ${row.case_id} (${what}) ${row.code}: ${row.message}`);
    if (isFailureCode(row.code)) lines.push(`          ${failureKind(row.code).remedy}`);
  }
  if (failedInAll > MOST_SAID) lines.push(`FAILED    … and ${failedInAll - MOST_SAID} more in ${result.outcomes}`);
  for (const table of [...result.featureGroups, ...(result.dataset === undefined ? [] : [result.dataset])]) {
    if (table.outcome === 'failed')
      lines.push(`FAILED    ${table.group} table ${table.code ?? ''}: ${table.message ?? ''}`);
  }
  if (result.clinical?.outcome === 'failed') {
    lines.push(`FAILED    clinical table ${result.clinical.code ?? ''}: ${result.clinical.message ?? ''}`);
  }
  for (const [id, steps] of cases) lines.push(`${id.padEnd(12)} ${steps.join(', ')}`);
  if (casesInAll > cases.length) lines.push(`… and ${casesInAll - cases.length} more in ${result.outcomes}`);
  return [...lines, '', ...resultLines(result)];
}

/** What a run came to: counts, tables and where they are. */
export function resultLines(result: CohortResult): string[] {
  const lines = [...counts('imaging', result.imaging), ...counts('genomics', result.genomics)];
  const { clinical } = result;
  if (clinical !== undefined && clinical.outcome !== 'failed') {
    lines.push(
      `clinical  ${clinical.rows ?? 0} rows by ${clinical.columns ?? 0} columns, ${clinical.dropped ?? 0} dropped`,
    );
  }
  for (const { group, file, rows: n, said: cut, ingested } of result.featureGroups) {
    const left = cut === undefined ? '' : ` (${cut})`;
    if (file !== undefined) lines.push(`features  ${group}: ${n ?? 0} rows in ${file}${left}`);
    if (ingested === undefined) continue;
    const { outcome, records, form, said, featureGroups } = ingested;
    const sent = outcome === 'reused' ? 'rows were there already' : 'rows sent';
    const how = form === 'whole' ? '' : ` (${said})`;
    lines.push(`store     ${group}: ${records} ${sent}, ${featureGroups.join(', ')}${how}`);
  }
  if (result.dataset?.file !== undefined)
    lines.push(`data set  ${result.dataset.rows ?? 0} rows in ${result.dataset.file}`);
  for (const note of result.notes ?? []) lines.push(`note      ${note}`);
  for (const cost of result.costs ?? []) lines.push(`cost      ${cost}`);
  lines.push(`outcomes  ${result.outcomes}`);
  if (result.report !== undefined) lines.push(`report    ${result.report}`);
  return lines;
}
