import { CohortflowError } from '../errors.js';
import {
  DEFAULT_ID_NAME,
  DEFAULT_NAMES,
  STANDARD_MISSING,
  type ClinicalSpec,
  type NameRule,
  type RowRule,
  type TargetSpec,
} from './spec.js';
import { sameName } from './table.js';

/** What may stand in a specification document, with its kind and meaning: data for the documentation too. */
export const SPEC_KEYS = {
  version: 'version of this format: 1',
  name: 'name of the specification, for the record',
  id: 'the id column, or a list of names it may have; found by its usual names when absent',
  idName: 'name of the id column in the features; Case_ID',
  missing: 'list of texts that mean "not known"; N/A, NA, NaN, None, null and the like when absent; empty always does',
  ignoreCase: 'compare missing codes, row rules and target values without regard to case; true',
  trim: 'leave out blanks around values; true',
  keepRows: 'list of row rules; a row is kept when all hold',
  dropRows: 'list of row rules; a row is dropped when one holds',
  dropColumns: 'columns that make no feature',
  oneHot: 'columns of categories: one feature of 0 and 1 for each value',
  numeric: 'columns of numbers',
  target: 'what is to be predicted: column, codes, positive, missing (drop, fill, keep)',
  fill: 'what missing numbers become: a number, mean, median, or null to leave them empty; 0',
  otherColumns: 'columns not named: drop, infer or refuse; infer when neither oneHot nor numeric is given, else drop',
  names: 'how features are named: remove, strict, limit, cutTo',
  bias: 'facets (columns whose groups are compared), groupBy (condition of the conditional measure)',
} as const;

const RULE_KEYS = ['column', 'equals', 'oneOf', 'contains', 'matches', 'missing', 'reason', 'afterEncoding'];
const CONDITIONS = ['equals', 'oneOf', 'contains', 'matches', 'missing'] as const;

type Document = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads values out of a document and gathers what is wrong, so that all of it is told at once. */
class Checker {
  readonly faults: string[] = [];

  fault(place: string, message: string): void {
    this.faults.push(`${place}: ${message}`);
  }

  keys(value: Document, known: readonly string[], place: string): void {
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue;
      const near = known.find((name) => name.toLowerCase() === key.replaceAll(/[_-]/g, '').toLowerCase());
      const advice = near === undefined ? `known: ${known.join(', ')}` : `write ${near}`;
      this.fault(place === '' ? key : `${place}.${key}`, `unknown; ${advice}`);
    }
  }

  /** A scalar as text: YAML reads `codes: {1: …}` and `equals: 1` as numbers, tables hold texts. */
  text(value: unknown, place: string): string | undefined {
    if (value === undefined) return undefined;
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    this.fault(place, 'must be a text');
    return undefined;
  }

  texts(value: unknown, place: string): string[] | undefined {
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) {
      this.fault(place, 'must be a list of texts');
      return undefined;
    }
    return value.flatMap((entry: unknown, index) => this.text(entry, `${place}[${index}]`) ?? []);
  }

  flag(value: unknown, place: string): boolean | undefined {
    if (value === undefined || typeof value === 'boolean') return value;
    this.fault(place, 'must be true or false');
    return undefined;
  }

  count(value: unknown, place: string): number | undefined {
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
    this.fault(place, 'must be a whole number from 1');
    return undefined;
  }

  choice<T extends string>(value: unknown, choices: readonly T[], place: string): T | undefined {
    if (value === undefined) return undefined;
    const match = choices.find((choice) => choice === value);
    if (match === undefined) this.fault(place, `must be one of ${choices.join(', ')}`);
    return match;
  }

  object(value: unknown, place: string): Document | undefined {
    if (value === undefined) return undefined;
    if (isObject(value)) return value;
    this.fault(place, 'must be an object');
    return undefined;
  }
}

function readRule(value: unknown, place: string, check: Checker): RowRule | undefined {
  const rule = check.object(value, place);
  if (rule === undefined) return undefined;
  check.keys(rule, RULE_KEYS, place);
  const column = check.text(rule['column'], `${place}.column`);
  if (column === undefined) check.fault(`${place}.column`, 'is needed (a column name, or $id)');
  if (CONDITIONS.every((name) => rule[name] === undefined)) {
    check.fault(place, `needs a condition: one of ${CONDITIONS.join(', ')}`);
  }
  const matches = check.text(rule['matches'], `${place}.matches`);
  if (matches !== undefined) {
    try {
      new RegExp(matches, 'u');
    } catch {
      check.fault(`${place}.matches`, 'is not a regular expression');
    }
  }
  const entries = {
    column: column ?? '',
    equals: check.text(rule['equals'], `${place}.equals`),
    oneOf: check.texts(rule['oneOf'], `${place}.oneOf`),
    contains: check.text(rule['contains'], `${place}.contains`),
    matches,
    missing: check.flag(rule['missing'], `${place}.missing`),
    reason: check.text(rule['reason'], `${place}.reason`),
    afterEncoding: check.flag(rule['afterEncoding'], `${place}.afterEncoding`),
  };
  return defined(entries);
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** An object without the keys whose value is undefined. */
function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Defined<T>;
}

function readRules(value: unknown, place: string, check: Checker): RowRule[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    check.fault(place, 'must be a list of rules');
    return [];
  }
  return value.flatMap((entry: unknown, index) => readRule(entry, `${place}[${index}]`, check) ?? []);
}

function readTarget(value: unknown, check: Checker): TargetSpec | undefined {
  const target = typeof value === 'string' ? { column: value } : check.object(value, 'target');
  if (target === undefined) return undefined;
  check.keys(target, ['column', 'codes', 'positive', 'missing'], 'target');
  const column = check.text(target['column'], 'target.column');
  if (column === undefined) check.fault('target.column', 'is needed');
  const codes = check.object(target['codes'], 'target.codes');
  for (const [label, code] of Object.entries(codes ?? {})) {
    if (typeof code !== 'number' || !Number.isFinite(code)) check.fault(`target.codes.${label}`, 'must be a number');
  }
  if (codes !== undefined && Object.keys(codes).length === 0) check.fault('target.codes', 'is empty');
  const positive = check.texts(target['positive'], 'target.positive');
  const stray = positive?.filter((label) => codes !== undefined && !Object.hasOwn(codes, label)) ?? [];
  if (stray.length > 0) check.fault('target.positive', 'names a value that has no code');
  return {
    column: column ?? '',
    ...(codes === undefined ? {} : { codes: codes as Record<string, number> }),
    ...(positive === undefined ? {} : { positive }),
    missing: check.choice(target['missing'], ['drop', 'fill', 'keep'], 'target.missing') ?? 'drop',
  };
}

function readFill(value: unknown, check: Checker): ClinicalSpec['fill'] {
  if (value === undefined) return 0;
  if (value === null || value === 'mean' || value === 'median') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  check.fault('fill', 'must be a number, mean, median or null');
  return 0;
}

function readNames(value: unknown, check: Checker): NameRule {
  const names = check.object(value, 'names') ?? {};
  check.keys(names, ['remove', 'strict', 'limit', 'cutTo'], 'names');
  const rule = {
    remove: check.text(names['remove'], 'names.remove') ?? DEFAULT_NAMES.remove,
    strict: check.flag(names['strict'], 'names.strict') ?? DEFAULT_NAMES.strict,
    limit: check.count(names['limit'], 'names.limit') ?? DEFAULT_NAMES.limit,
    cutTo: check.count(names['cutTo'], 'names.cutTo') ?? DEFAULT_NAMES.cutTo,
  };
  if (rule.cutTo > rule.limit) check.fault('names.cutTo', 'must not be above names.limit');
  return rule;
}

/** Columns that two entries claim. */
function checkClaims(spec: ClinicalSpec, check: Checker): void {
  const claims = [
    ...spec.dropColumns.map((column) => ['dropColumns', column] as const),
    ...spec.oneHot.map((column) => ['oneHot', column] as const),
    ...spec.numeric.map((column) => ['numeric', column] as const),
    ...(spec.target === undefined ? [] : [['target', spec.target.column] as const]),
  ];
  claims.forEach(([key, column], index) => {
    const earlier = claims.slice(0, index).find(([, other]) => sameName(other, column));
    if (earlier !== undefined) check.fault(key, `\`${column.trim()}\` is named under ${earlier[0]} already`);
  });
}

/**
 * Checks a parsed specification document (YAML or JSON) and fills in what it leaves out.
 *
 * @throws CohortflowError `InvalidClinicalSpec` with everything that is wrong, each with its place in the document
 */
export function readSpec(document: unknown): ClinicalSpec {
  const check = new Checker();
  if (!isObject(document)) {
    throw new CohortflowError('InvalidClinicalSpec', 'clinical specification: must be an object (YAML or JSON)');
  }
  check.keys(document, Object.keys(SPEC_KEYS), '');
  if (document['version'] !== undefined && document['version'] !== 1) check.fault('version', 'must be 1');
  const id = document['id'];
  const oneHot = check.texts(document['oneHot'], 'oneHot');
  const numeric = check.texts(document['numeric'], 'numeric');
  const target = readTarget(document['target'], check);
  const bias = check.object(document['bias'], 'bias') ?? {};
  check.keys(bias, ['facets', 'groupBy'], 'bias');
  const groupBy = check.text(bias['groupBy'], 'bias.groupBy');
  const others = oneHot === undefined && numeric === undefined ? 'infer' : 'drop';
  const spec: ClinicalSpec = {
    name: check.text(document['name'], 'name') ?? 'custom',
    id: typeof id === 'string' ? [id] : (check.texts(id, 'id') ?? []),
    idName: check.text(document['idName'], 'idName') ?? DEFAULT_ID_NAME,
    missing: check.texts(document['missing'], 'missing') ?? STANDARD_MISSING,
    ignoreCase: check.flag(document['ignoreCase'], 'ignoreCase') ?? true,
    trim: check.flag(document['trim'], 'trim') ?? true,
    keepRows: readRules(document['keepRows'], 'keepRows', check),
    dropRows: readRules(document['dropRows'], 'dropRows', check),
    dropColumns: check.texts(document['dropColumns'], 'dropColumns') ?? [],
    oneHot: oneHot ?? [],
    numeric: numeric ?? [],
    ...(target === undefined ? {} : { target }),
    fill: readFill(document['fill'], check),
    otherColumns: check.choice(document['otherColumns'], ['drop', 'infer', 'refuse'], 'otherColumns') ?? others,
    names: readNames(document['names'], check),
    bias: {
      facets: check.texts(bias['facets'], 'bias.facets') ?? [],
      ...(groupBy === undefined ? {} : { groupBy }),
    },
  };
  checkClaims(spec, check);
  if (check.faults.length > 0) {
    const message = `clinical specification: ${check.faults.slice(0, 20).join('; ')}`;
    throw new CohortflowError('InvalidClinicalSpec', message, { faults: check.faults.slice(0, 100) });
  }
  return spec;
}
