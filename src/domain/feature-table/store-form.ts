import { storeName } from './feature-names.js';
import { GROUPS, type FeatureType, type GroupSchema } from './group-schema.js';

/** Most definitions of one feature group, the record identifier and the event time among them. */
export const MOST_DEFINITIONS = 2_500;
/** Most groups that one table is spread over: so many may be under creation in an account at once. */
const MOST_PARTS = 4;

/** What follows a table in the name of its group: nothing where it lies in one, else which part it is, or that it points. */
const POINTER = '-pointer';
const partOf = (number: number): string => `-part-${number}`;
const ENDINGS = ['', POINTER, ...Array.from({ length: MOST_PARTS }, (_, at) => partOf(at + 1))];

/** Longest name of a feature group, and digits of the digest in it. */
const LONGEST = 64;
const DIGEST = 12;

export interface FeatureDefinition {
  readonly name: string;
  readonly type: FeatureType;
}

/** One group of the store and what of a table it holds, besides the record identifier and the event time. */
export interface StoreGroup {
  readonly name: string;
  readonly definitions: readonly FeatureDefinition[];
  /** Columns of the table, by their names in the store; of a pointer the columns that tell rows apart. */
  readonly columns: readonly string[];
}

/**
 * How a table lies in the store: `whole` in one group; in `parts`, each with some of the columns of every row; or as a
 * `pointer`: rows that name a Parquet file and the place in it.
 */
export interface StoreForm {
  readonly form: 'whole' | 'parts' | 'pointer';
  /** What was chosen and why, for people. */
  readonly said: string;
  readonly groups: readonly StoreGroup[];
}

/** Columns of a pointer: where the Parquet file is, and the number of the row in it, from 0. */
export const POINTER_URI = 'features_uri';
export const POINTER_ROW = 'features_row';

/** What the name of a group ends with, whatever its prefix. */
const tailOf = (group: string, digest: string): string => `-${storeName(group)}-${digest.slice(0, DIGEST)}`;
const digestIn = (name: string): string | undefined => new RegExp(`-([0-9a-f]{${DIGEST}})$`).exec(name)?.[1];

/**
 * Name of a feature group: `<prefix>-<group>-<digest>`. Features cannot be taken out of a group, nor their types changed:
 * another schema is another group.
 *
 * @param digest hexadecimal digest of the schema
 */
export function storeGroupName(prefix: string, group: string, digest: string): string {
  const tail = tailOf(group, digest);
  return `${storeName(prefix).slice(0, LONGEST - tail.length)}${tail}`;
}

/**
 * Whether a name is one that {@link storeGroupName} gives with this prefix. Not how it begins: where the names of two
 * installations begin alike, one's groups begin like the other's.
 */
export function isStoreGroupOf(prefix: string, name: string): boolean {
  const digest = digestIn(name);
  if (digest === undefined) return false;
  return GROUPS.some((group) => ENDINGS.some((ending) => name === storeGroupName(prefix, `${group}${ending}`, digest)));
}

/** Whether a name is one that {@link storeGroupName} gives with some prefix. */
export function isStoreGroup(name: string): boolean {
  const digest = digestIn(name);
  if (digest === undefined || name.length > LONGEST) return false;
  const tails = GROUPS.flatMap((group) => ENDINGS.map((ending) => tailOf(`${group}${ending}`, digest)));
  return tails.some((tail) => name.length > tail.length && name.endsWith(tail));
}

/** How all groups of a prefix begin, however much of it the longest of their names has room for. */
export function storeGroupBeginning(prefix: string): string {
  const lengths = GROUPS.flatMap((group) => ENDINGS.map((ending) => `-${group}${ending}-`.length + DIGEST));
  return storeName(prefix).slice(0, LONGEST - Math.max(...lengths));
}

function said(columns: number, parts: number, before: string): Pick<StoreForm, 'form' | 'said'> {
  if (parts === 1) return { form: 'whole', said: `${before}${columns} columns in one group` };
  return { form: 'parts', said: `${before}${columns} columns in ${parts} groups: one takes ${MOST_DEFINITIONS}` };
}

/**
 * Chooses how a table goes into the store. Up to 2,500 definitions: one group. Up to four times as many: several groups with
 * the same identifiers, columns in their order. More: a pointer, since a wide table that must be joined from many groups is
 * read faster from its file. Expression has been cut to a gene panel before, so that it fits one group.
 *
 * @param digest of any text, hexadecimal, 12 digits or more
 */
export function chooseForm(schema: GroupSchema, prefix: string, digest: (text: string) => string): StoreForm {
  const { group, recordIdentifier, eventTimeName, columns, panel } = schema;
  const before = panel === undefined ? '' : `${panel.said}; `;
  const [, ...own] = columns;
  const key: FeatureDefinition[] = [{ name: recordIdentifier, type: 'String' }];
  const time: FeatureDefinition = { name: eventTimeName, type: 'String' };
  const made = (label: string, defined: readonly FeatureDefinition[], held: readonly string[]): StoreGroup => {
    const definitions = [...key, ...defined.map(({ name, type }) => ({ name, type })), time];
    const name = storeGroupName(prefix, label, digest(JSON.stringify(definitions.map((one) => [one.name, one.type]))));
    return { name, definitions, columns: held };
  };
  const room = MOST_DEFINITIONS - 2;
  const parts = Math.max(1, Math.ceil(own.length / room));
  if (parts > MOST_PARTS) {
    const ids = own.filter(({ role }) => role === 'id');
    const pointer: readonly FeatureDefinition[] = [
      ...ids,
      { name: POINTER_URI, type: 'String' },
      { name: POINTER_ROW, type: 'Integral' },
    ];
    const most = room * MOST_PARTS;
    const why = `${before}${own.length} columns in one Parquet file that the group points to: groups hold up to ${most}`;
    const held = ids.map(({ name }) => name);
    return { form: 'pointer', said: why, groups: [made(`${group}${POINTER}`, pointer, held)] };
  }
  const groups = Array.from({ length: parts }, (_, part) => {
    const held = own.slice(part * room, (part + 1) * room);
    const label = parts === 1 ? group : `${group}${partOf(part + 1)}`;
    return made(
      label,
      held,
      held.map(({ name }) => name),
    );
  });
  return { ...said(own.length, parts, before), groups };
}
