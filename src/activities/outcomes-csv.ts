import { stringify } from 'csv-stringify/sync';
import type { OutcomeRecord } from '../contracts/outcome.js';

/** Columns of run/outcomes.csv, in order. */
export const OUTCOME_COLUMNS = [
  'case_id',
  'modality',
  'study_or_sample',
  'step',
  'outcome',
  'code',
  'why',
  'attempts',
  'started',
  'seconds',
  'message',
] as const;

/** The head of the table of outcomes. */
export function outcomesHead(): string {
  return stringify([[...OUTCOME_COLUMNS]]);
}

/** Rows of the table of outcomes: one per case, modality, study or sample and step. */
export function outcomeRows(records: readonly OutcomeRecord[]): string {
  const rows = records.map((record) => [
    record.caseId,
    record.modality,
    record.part,
    record.step,
    record.outcome,
    record.code,
    record.why,
    record.attempts,
    record.started,
    Number(record.seconds.toFixed(3)),
    record.message,
  ]);
  return stringify(rows);
}
