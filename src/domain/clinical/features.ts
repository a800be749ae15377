import { CohortflowError } from '../errors.js';
import { dropWithoutTarget, encodeRows, type ClinicalFeatures } from './apply.js';
import { biasReport, type BiasReport } from './bias-report.js';
import { chooseSpec } from './choose-spec.js';
import type { ClinicalEncoding } from './encoding.js';
import { fitEncoding } from './fit.js';
import { leakageReport, type LeakageReport } from './leakage-report.js';
import { applyRules, prepareTable, type DroppedRow } from './prepare.js';
import { someOf, type ClinicalTable } from './table.js';

/** Everything that is made of a clinical table. */
export interface ClinicalResult {
  /** Name of the specification that was used. */
  readonly spec: string;
  readonly features: ClinicalFeatures;
  /** The case of every row of the table, those that made no record too. */
  readonly caseIds: readonly string[];
  /** Rows that made no record, in the order of the table. */
  readonly dropped: readonly DroppedRow[];
  readonly encoding: ClinicalEncoding;
  readonly bias: BiasReport;
  readonly leakage: LeakageReport;
  readonly warnings: readonly string[];
}

/** Reasons that warnings name: they travel through histories, and a table may have thousands of columns. */
const REASONS = 4;

/** Columns without features by why they have none: what was not asked for is not left out in silence. */
function leftOut(encoding: ClinicalEncoding): string[] {
  const byReason = new Map<string, string[]>();
  for (const { column, why } of encoding.left) {
    if (why === 'the specification drops it') continue;
    byReason.set(why, [...(byReason.get(why) ?? []), column]);
  }
  const reasons = [...byReason];
  const shown = reasons.slice(0, REASONS).map(([why, columns]) => `no features of ${someOf(columns, 8)}: ${why}`);
  const more = reasons.slice(REASONS).reduce((sum, [, columns]) => sum + columns.length, 0);
  return more === 0 ? shown : [...shown, `no features of ${more} more columns: encoding.json says why`];
}

/** Numeric features with infinite values, which hardly any model or store takes for numbers. */
function infinite({ columns, rows }: ClinicalFeatures, encoding: ClinicalEncoding): string[] {
  const numeric = new Set(encoding.columns.flatMap((column) => (column.kind === 'numeric' ? [column.name] : [])));
  return columns.filter((name, at) => numeric.has(name) && rows.some((row) => /^-?inf/i.test(row[at] as string)));
}

function warningsOf(features: ClinicalFeatures, encoding: ClinicalEncoding, leakage: LeakageReport): string[] {
  const { leaking } = leakage;
  const endless = infinite(features, encoding);
  const advice = 'a column of texts in Parquet; name them under `missing`';
  return [
    ...(endless.length === 0 ? [] : [`infinite numbers in ${someOf(endless, 8)}: ${advice}`]),
    ...(leaking.length === 0 ? [] : [`features that leak the target: ${someOf(leaking, 8)}`]),
    ...leftOut(encoding),
  ];
}

/**
 * Makes features of a clinical table, with the reports on bias and leakage and the encoding that was learnt.
 *
 * @param given a built-in specification's name, a parsed specification document, or undefined to choose by the columns
 * @throws CohortflowError one of the codes of the clinical catalogue; messages name rows and columns, never values
 */
export function clinicalFeatures(table: ClinicalTable, given?: unknown): ClinicalResult {
  const spec = chooseSpec(given, table.columns);
  const prepared = prepareTable(table, spec, spec.name);
  const first = applyRules(prepared, [...table.rows.keys()], false);
  const encoding = fitEncoding(prepared, first.kept, spec);
  const second = applyRules(prepared, first.kept, true);
  const third = dropWithoutTarget(prepared, second.kept, encoding);
  const { kept } = third;
  if (kept.length === 0) {
    const message = `clinical table: none of ${table.rows.length} rows is left after the rules of ${spec.name}`;
    throw new CohortflowError('NoClinicalRows', message, { rows: table.rows.length, spec: spec.name });
  }
  const features = encodeRows(prepared, kept, encoding);
  const dropped = [...first.dropped, ...second.dropped, ...third.dropped].sort((a, b) => a.row - b.row);
  const bias = biasReport(prepared, kept, spec);
  const leakage = leakageReport(prepared, kept, spec, encoding);
  const caseIds = prepared.rows.map((row) => row[prepared.idIndex] as string);
  return {
    spec: spec.name,
    features,
    caseIds,
    dropped,
    encoding,
    bias,
    leakage,
    warnings: warningsOf(features, encoding, leakage),
  };
}
