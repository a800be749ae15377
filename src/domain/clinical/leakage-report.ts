import type { ClinicalEncoding } from './encoding.js';
import { columnType, parseNumber } from './numbers.js';
import type { PreparedTable } from './prepare.js';
import { aucHalfWidth, crossValidatedAuc, crossValidatedR2, rankBins, ranksOf } from './predictive-power.js';
import type { ClinicalSpec } from './spec.js';
import { columnIndex, plainName, sameName } from './table.js';

/**
 * - `leak`: tells the target almost by itself; hardly known before the outcome.
 * - `check`: tells a lot; a person has to say whether it is known in time.
 * - `informative`: tells something.
 * - `uninformative`: no better than chance, within its error.
 * - `unknown`: too few rows to say.
 */
export type LeakVerdict = 'leak' | 'check' | 'informative' | 'uninformative' | 'unknown';

/** Scores from which a column is called a leak, or worth a check. No cut-offs are published for such analyses; these are ours. */
export const LEAK_SCORE = 0.9;
export const CHECK_SCORE = 0.75;

export interface ColumnLeakage {
  readonly rank: number;
  readonly column: string;
  /** Whether features are made of the column. */
  readonly inFeatures: boolean;
  /** AUC (0.5 is chance) for classes, R² for a number. */
  readonly score: number | null;
  /** 95 % interval of an AUC. */
  readonly interval: readonly [number, number] | null;
  /** AUC of nothing but whether the value is missing: high when a column is only filled in after the outcome. */
  readonly missingnessScore: number | null;
  readonly verdict: LeakVerdict;
}

export interface LeakageReport {
  readonly target: string | null;
  readonly measure: 'cross-validated AUC' | 'cross-validated R2' | null;
  readonly rows: number;
  readonly thresholds: { readonly leak: number; readonly check: number };
  /** Columns with features that are called a leak. */
  readonly leaking: readonly string[];
  readonly columns: readonly ColumnLeakage[];
  readonly notes: readonly string[];
}

const MAX_CLASSES = 20;

interface Target {
  readonly kind: 'classes' | 'number';
  readonly labels: readonly string[];
  readonly numbers: readonly number[];
  /** Ranks of the numbers; equal ones share their mean. */
  readonly ranks: readonly number[];
  /** Rows (indices into the prepared table) whose target is known. */
  readonly rows: readonly number[];
}

function readTarget(prepared: PreparedTable, kept: readonly number[], spec: ClinicalSpec): Target | undefined {
  if (spec.target === undefined) return undefined;
  const index = columnIndex(prepared.columns, spec.target.column);
  const rows = kept.filter((at) => !prepared.isMissing(prepared.rows[at]?.[index] as string));
  const texts = rows.map((at) => prepared.rows[at]?.[index] as string);
  const labels = spec.ignoreCase ? texts.map((text) => text.toLowerCase()) : texts;
  const many = spec.target.codes === undefined && new Set(labels).size > 2;
  const numbers = many ? labels.map((text) => parseNumber(text) ?? 0) : [];
  return { kind: many ? 'number' : 'classes', labels, numbers, ranks: ranksOf(numbers), rows };
}

/** Mean AUC of every class against the rest; of two classes it is one curve. */
function classScore(
  groups: readonly string[],
  labels: readonly string[],
): { auc: number; halfWidth: number } | undefined {
  const classes = [...new Set(labels)].sort();
  if (classes.length < 2 || classes.length > MAX_CLASSES) return undefined;
  const scored = (classes.length === 2 ? classes.slice(1) : classes).flatMap((label) => {
    const positive = labels.map((own) => own === label);
    const auc = crossValidatedAuc(groups, positive);
    const positives = positive.filter(Boolean).length;
    return auc === undefined ? [] : [{ auc, halfWidth: aucHalfWidth(auc, positives, positive.length - positives) }];
  });
  if (scored.length === 0) return undefined;
  const mean = (pick: (entry: { auc: number; halfWidth: number }) => number): number =>
    scored.reduce((sum, entry) => sum + pick(entry), 0) / scored.length;
  return { auc: mean(({ auc }) => auc), halfWidth: mean(({ halfWidth }) => halfWidth) };
}

/**
 * R² of the target's values or of their ranks, whichever is greater: where a few values are far from all others (times,
 * costs, doses) tenths of a column's range explain little of them even when the column is the target itself.
 */
function numberScore(groups: readonly string[], { numbers, ranks }: Target): number | undefined {
  const byValue = crossValidatedR2(groups, numbers);
  const byRank = crossValidatedR2(groups, ranks);
  return byValue === undefined || byRank === undefined ? byValue : Math.max(byValue, byRank);
}

function verdictOf(score: number | undefined, lower: number | undefined, chance: number): LeakVerdict {
  if (score === undefined) return 'unknown';
  if (score >= LEAK_SCORE) return 'leak';
  if (score >= CHECK_SCORE) return 'check';
  return (lower ?? score) > chance ? 'informative' : 'uninformative';
}

const round = (value: number): number => Math.round(value * 1e6) / 1e6;

function scoreColumn(
  prepared: PreparedTable,
  index: number,
  target: Target,
): Omit<ColumnLeakage, 'rank' | 'column' | 'inFeatures'> {
  const texts = target.rows.map((at) => prepared.rows[at]?.[index] as string);
  const type = columnType(texts, prepared.isMissing);
  const numeric = type === 'integer' || type === 'decimal';
  const groups = numeric
    ? rankBins(texts.map((text) => (prepared.isMissing(text) ? undefined : parseNumber(text))))
    : texts.map((text) => (prepared.isMissing(text) ? 'missing' : `=${text}`));
  const presence = texts.map((text) => String(prepared.isMissing(text)));
  if (target.kind === 'number') {
    const r2 = numberScore(groups, target);
    const absent = numberScore(presence, target);
    return {
      score: r2 === undefined ? null : round(r2),
      interval: null,
      missingnessScore: absent === undefined ? null : round(absent),
      verdict: verdictOf(r2, undefined, 0),
    };
  }
  const scored = classScore(groups, target.labels);
  const absent = classScore(presence, target.labels);
  const interval = scored && ([scored.auc - scored.halfWidth, Math.min(1, scored.auc + scored.halfWidth)] as const);
  return {
    score: scored === undefined ? null : round(scored.auc),
    interval: interval === undefined ? null : [round(interval[0]), round(interval[1])],
    missingnessScore: absent === undefined ? null : round(absent.auc),
    verdict: verdictOf(scored?.auc, interval?.[0], 0.5),
  };
}

/**
 * Ranks every column of the table, those the specification drops too, by how well it tells the target alone.
 *
 * @param kept indices of the rows that made features
 */
export function leakageReport(
  prepared: PreparedTable,
  kept: readonly number[],
  spec: ClinicalSpec,
  encoding: ClinicalEncoding,
): LeakageReport {
  const thresholds = { leak: LEAK_SCORE, check: CHECK_SCORE };
  const target = readTarget(prepared, kept, spec);
  if (target === undefined) {
    const notes = ['the specification names no target'];
    return { target: null, measure: null, rows: kept.length, thresholds, leaking: [], columns: [], notes };
  }
  const targetName = spec.target?.column ?? '';
  const used = new Set(
    encoding.columns
      .filter(({ kind }) => kind === 'oneHot' || kind === 'numeric')
      .map(({ column }) => plainName(column)),
  );
  const columns = prepared.columns
    .flatMap((column, index) => {
      if (index === prepared.idIndex || sameName(column, targetName)) return [];
      const inFeatures = used.has(plainName(column));
      return [{ column: column.trim(), inFeatures, ...scoreColumn(prepared, index, target) }];
    })
    .sort((a, b) => (b.score ?? -1) - (a.score ?? -1))
    .map((entry, index) => ({ rank: index + 1, ...entry }));
  const leaking = columns
    .filter(({ inFeatures, verdict }) => inFeatures && verdict === 'leak')
    .map(({ column }) => column);
  const notes = target.rows.length < 50 ? [`only ${target.rows.length} rows: the scores are rough`] : [];
  const measure = target.kind === 'number' ? 'cross-validated R2' : 'cross-validated AUC';
  return { target: targetName.trim(), measure, rows: target.rows.length, thresholds, leaking, columns, notes };
}
