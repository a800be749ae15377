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

/** The table of outcomes: a row per case, modality, study or sample and step. */
export function outcomesCsv(records: readonly OutcomeRecord[]): string {
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
  return stringify([[...OUTCOME_COLUMNS], ...rows]);
}
