import type { ColumnType } from './numbers.js';
import { DEFAULT_ID_NAME, type ClinicalSpec } from './spec.js';

/** A one-hot column: one feature of 0 and 1 for each value. */
export interface OneHotEncoding {
  readonly kind: 'oneHot';
  readonly column: string;
  /** `integer` and `decimal` columns compare by number (`1` is `1.0`). */
  readonly type: ColumnType;
  readonly categories: readonly { readonly value: string; readonly name: string }[];
}

export interface NumericEncoding {
  readonly kind: 'numeric';
  readonly column: string;
  readonly name: string;
  /** `integer`: written whole; `decimal`: written with a point; `text`: numbers as the table writes them. */
  readonly type: 'integer' | 'decimal' | 'text';
  /** What a missing value becomes; null leaves it empty. */
  readonly fill: number | null;
}

export interface IdEncoding {
  readonly kind: 'id';
  readonly column: string;
  readonly name: string;
}

export interface TargetEncoding {
  readonly kind: 'target';
  readonly column: string;
  readonly name: string;
  readonly codes: Readonly<Record<string, number>> | null;
  readonly missing: 'drop' | 'fill' | 'keep';
  readonly fill: number | null;
}

export type ColumnEncoding = OneHotEncoding | NumericEncoding | IdEncoding | TargetEncoding;

/**
 * Everything that was learnt from the table the features were made of: `encoding.json`. Applied to another table it gives
 * the same columns, so that new cases can join an old data set.
 */
export interface ClinicalEncoding {
  readonly version: 1;
  readonly spec: string;
  readonly ignoreCase: boolean;
  readonly trim: boolean;
  readonly missing: readonly string[];
  /** Names the id column may have. */
  readonly id: readonly string[];
  /** In the order of the features. */
  readonly columns: readonly ColumnEncoding[];
  /** Columns of the table that make no feature, and why. */
  readonly left: readonly { readonly column: string; readonly why: string }[];
  readonly keepRows: ClinicalSpec['keepRows'];
  readonly dropRows: ClinicalSpec['dropRows'];
}

/** Name of the column that identifies the case among the features. */
export function idColumnOf({ columns }: Pick<ClinicalEncoding, 'columns'>): string {
  return columns.find((column) => column.kind === 'id')?.name ?? DEFAULT_ID_NAME;
}

/** Names of the features, in order. */
export function featureColumns(encoding: ClinicalEncoding): string[] {
  return encoding.columns.flatMap((column) =>
    column.kind === 'oneHot' ? column.categories.map(({ name }) => name) : [column.name],
  );
}
