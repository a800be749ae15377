import type { GroupSchema } from '../domain/feature-table/group-schema.js';
import { POINTER_ROW, POINTER_URI, type StoreForm, type StoreGroup } from '../domain/feature-table/store-form.js';
import type { RejectedRecord, StoreRecord } from '../ports/feature-store.js';

/** Bytes of a record, and of its identifier, that the service takes. */
export const MOST_RECORD = 350 * 1024;
export const MOST_IDENTIFIER = 2 * 1024;

/** One row of a group's table, in the order of the sheet. */
export interface FeatureRow {
  /** From 0. */
  readonly number: number;
  readonly id: string;
  readonly eventTime: string;
  /** Cells by column of the schema, the identifier first; empty where there is none. */
  readonly cells: readonly string[];
}

/** A value as the store takes it; undefined where there is none: what is left out is null. */
function valueOf(cell: string, type: 'Integral' | 'Fractional' | 'String'): string | undefined {
  if (cell === '' || type === 'String') return cell === '' ? undefined : cell;
  const value = Number(cell);
  // The CSV spells what is no number `nan`, and the infinite, which the store does not know either.
  return Number.isFinite(value) ? String(value) : undefined;
}

/** Makes the records of a row: one for each group that the table lies in. */
export class RecordMaker {
  readonly #at: ReadonlyMap<string, number>;

  /** @param pointsTo Parquet file that rows of a pointer name */
  constructor(
    private readonly schema: GroupSchema,
    private readonly form: StoreForm['form'],
    private readonly pointsTo: string | undefined,
  ) {
    this.#at = new Map(schema.columns.map(({ name }, at) => [name, at]));
  }

  of(row: FeatureRow, group: StoreGroup): StoreRecord {
    const { recordIdentifier, eventTimeName, columns } = this.schema;
    const values: (readonly [string, string])[] = [[recordIdentifier, row.id]];
    for (const name of group.columns) {
      const at = this.#at.get(name)!;
      const value = valueOf(row.cells[at] ?? '', columns[at]!.type);
      if (value !== undefined) values.push([name, value]);
    }
    if (this.form === 'pointer') values.push([POINTER_URI, this.pointsTo ?? ''], [POINTER_ROW, String(row.number)]);
    values.push([eventTimeName, row.eventTime]);
    return { id: row.id, values };
  }
}

const encoder = new TextEncoder();
const bytes = (text: string): number => encoder.encode(text).length;

/** Why a record is not even sent; undefined when it may be. */
export function tooLarge({ id, values }: StoreRecord): RejectedRecord | undefined {
  if (bytes(id) > MOST_IDENTIFIER) {
    return { id, code: 'IdentifierTooLong', message: `identifier of more than ${MOST_IDENTIFIER} bytes` };
  }
  const size = values.reduce((sum, [name, value]) => sum + bytes(name) + bytes(value), 0);
  if (size <= MOST_RECORD) return undefined;
  return { id, code: 'RecordTooLarge', message: `${size} bytes, and a record may have ${MOST_RECORD}` };
}
