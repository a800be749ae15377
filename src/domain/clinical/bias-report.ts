import { biasMeasures, conditionalDisparity, type BiasMeasures, type Stratum } from './bias-measures.js';
import { compareCodePoints, parseNumber } from './numbers.js';
import type { PreparedTable } from './prepare.js';
import type { ClinicalSpec } from './spec.js';
import { columnIndex, sameName } from './table.js';

/** Groups smaller than this, or facing so few others, get a note: their measures are mostly chance. */
export const SMALL_GROUP = 10;
/** A facet with more groups than this is none. */
const MAX_GROUPS = 50;

export interface FacetGroup {
  readonly value: string;
  readonly rows: number;
  /** Share of positive labels in the group; null without a target. */
  readonly positiveShare: number | null;
  /** Class imbalance, and against the other groups the label measures; null where the group has no counterpart. */
  readonly measures: (Partial<BiasMeasures> & { readonly CDDL?: number | null }) | null;
  readonly notes: readonly string[];
}

export interface BiasReport {
  readonly rows: number;
  readonly target: {
    readonly column: string;
    readonly positive: readonly string[];
    readonly labels: readonly { readonly value: string; readonly rows: number }[];
  } | null;
  readonly groupBy: string | null;
  readonly facets: readonly {
    readonly column: string;
    readonly missing: number;
    readonly groups: readonly FacetGroup[];
  }[];
  readonly notes: readonly string[];
}

/** Facets that are looked at when a specification names none. */
const USUAL_FACETS = /^(?:gender|sex|race|ethnicity|ethnic[ _-]?group|race[ _-]?ethnicity)$/i;

function facetColumns(prepared: PreparedTable, spec: ClinicalSpec): string[] {
  if (spec.bias.facets.length > 0) return spec.bias.facets.filter((name) => columnIndex(prepared.columns, name) >= 0);
  return prepared.columns.filter((name) => USUAL_FACETS.test(name.trim()));
}

/** Labels of the rows: text of the target; missing ones are undefined. Numeric targets of many values have no classes. */
function labelsOf(
  prepared: PreparedTable,
  kept: readonly number[],
  spec: ClinicalSpec,
): (string | undefined)[] | undefined {
  if (spec.target === undefined) return undefined;
  const index = columnIndex(prepared.columns, spec.target.column);
  const labels = kept.map((at) => {
    const text = prepared.rows[at]?.[index] as string;
    return prepared.isMissing(text) ? undefined : text;
  });
  return spec.target.codes === undefined && new Set(labels).size > MAX_GROUPS ? undefined : labels;
}

/** The labels that are the positive outcome: as specified, else those with the highest code (or number). */
function positiveLabels(labels: readonly (string | undefined)[], spec: ClinicalSpec): string[] {
  const target = spec.target;
  if (target?.positive !== undefined) return [...target.positive];
  const seen = [...new Set(labels)].filter((label) => label !== undefined);
  const fold = (text: string): string => (spec.ignoreCase ? text.toLowerCase() : text);
  const codes = new Map(Object.entries(target?.codes ?? {}).map(([value, code]) => [fold(value), code]));
  const code = (label: string): number => codes.get(fold(label)) ?? parseNumber(label) ?? Number.NEGATIVE_INFINITY;
  const highest = Math.max(...[...codes.values(), ...(codes.size === 0 ? seen.map(code) : [])]);
  return seen.filter((label) => code(label) === highest);
}

function count(labels: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

interface LabelledRow {
  readonly label: string;
  readonly facet: string;
  readonly group: string;
}

function strata(rows: readonly LabelledRow[], value: string, isPositive: (label: string) => boolean): Stratum[] {
  const groups = new Map<string, { positive: number; negative: number; positiveD: number; negativeD: number }>();
  for (const { label, facet, group } of rows) {
    const stratum = groups.get(group) ?? { positive: 0, negative: 0, positiveD: 0, negativeD: 0 };
    groups.set(group, stratum);
    const side = isPositive(label) ? 'positive' : 'negative';
    stratum[side] += 1;
    if (facet === value) stratum[`${side}D`] += 1;
  }
  return [...groups.values()];
}

function groupReport(
  value: string,
  size: number,
  others: number,
  rows: readonly LabelledRow[],
  positive: readonly string[] | undefined,
): FacetGroup {
  const notes: string[] = [];
  if (size < SMALL_GROUP || others < SMALL_GROUP)
    notes.push(`fewer than ${SMALL_GROUP} rows on one side: mostly chance`);
  if (others === 0)
    return { value, rows: size, positiveShare: null, measures: null, notes: ['no other group to compare with'] };
  const CI = (others - size) / (others + size);
  const d = rows.filter((row) => row.facet === value).map((row) => row.label);
  const a = rows.filter((row) => row.facet !== value).map((row) => row.label);
  if (positive === undefined || d.length === 0 || a.length === 0) {
    return { value, rows: size, positiveShare: null, measures: { CI }, notes };
  }
  const isPositive = (label: string): boolean => positive.includes(label);
  const measures = biasMeasures(count(a), count(d), isPositive);
  if (measures.KL === null) notes.push('KL is infinite: the others have a label that this group never has');
  const CDDL = conditionalDisparity(strata(rows, value, isPositive));
  const share = d.filter(isPositive).length / d.length;
  return { value, rows: size, positiveShare: share, measures: { ...measures, CI, CDDL }, notes };
}

/**
 * Class balance of the target and, for every group of every facet, how its labels differ from those of all other groups.
 * Rows without the facet or without the target take no part in a comparison.
 *
 * @param kept indices of the rows that made features
 */
export function biasReport(prepared: PreparedTable, kept: readonly number[], spec: ClinicalSpec): BiasReport {
  const labels = labelsOf(prepared, kept, spec);
  const positive = labels === undefined ? undefined : positiveLabels(labels, spec);
  const notes: string[] = [];
  if (spec.target === undefined) notes.push('the specification names no target: only the sizes of groups are compared');
  else if (labels === undefined)
    notes.push('the target is a number of many values: only the sizes of groups are compared');
  const groupBy = spec.bias.groupBy;
  const groupIndex = groupBy === undefined ? -1 : columnIndex(prepared.columns, groupBy);
  const facets = facetColumns(prepared, spec)
    .filter((name) => spec.target === undefined || !sameName(name, spec.target.column))
    .map((column) => {
      const index = columnIndex(prepared.columns, column);
      const values = kept.map((at) => prepared.rows[at]?.[index] as string);
      const present = values.filter((text) => !prepared.isMissing(text));
      const groups = [...count(present)].sort(([x], [y]) => compareCodePoints(x, y));
      const rows = kept.flatMap((at, position): LabelledRow[] => {
        const facet = values[position] as string;
        const label = labels?.[position];
        const group = groupIndex < 0 ? '' : (prepared.rows[at]?.[groupIndex] as string);
        return label === undefined || prepared.isMissing(facet) ? [] : [{ label, facet, group }];
      });
      if (groups.length > MAX_GROUPS) {
        notes.push(`${column.trim()}: ${groups.length} different values, too many for a facet`);
        return { column: column.trim(), missing: values.length - present.length, groups: [] };
      }
      return {
        column: column.trim(),
        missing: values.length - present.length,
        groups: groups.map(([value, size]) => groupReport(value, size, present.length - size, rows, positive)),
      };
    });
  const known = labels?.filter((label) => label !== undefined) ?? [];
  return {
    rows: kept.length,
    target:
      spec.target === undefined || labels === undefined
        ? null
        : {
            column: spec.target.column.trim(),
            positive: positive ?? [],
            labels: [...count(known)]
              .sort(([x], [y]) => compareCodePoints(x, y))
              .map(([value, size]) => ({ value, rows: size })),
          },
    groupBy: groupBy?.trim() ?? null,
    facets,
    notes,
  };
}
