import { CohortflowError } from '../domain/errors.js';

/** What one field of a workflow's input must be. `about` is for docs and error texts. */
export interface FieldRule {
  readonly kind:
    | 'text'
    | 'count'
    | 'number'
    | 'flag'
    | 'object'
    | 'list'
    | 'countOrTexts'
    | 'countOrObject'
    | 'textOrObject'
    | 'version';
  readonly required?: boolean;
  /** Largest count. */
  readonly most?: number;
  readonly choices?: readonly string[];
  readonly about: string;
}

export type FieldRules = Readonly<Record<string, FieldRule>>;

/** What each kind of field must be, in words: for messages and documentation. */
export const FIELD_KINDS: Readonly<Record<FieldRule['kind'], string>> = {
  text: 'a text',
  count: 'a whole number from 1',
  number: 'a number',
  flag: 'true or false',
  object: 'an object',
  list: 'a list',
  countOrTexts: 'a whole number from 1 or a list of texts',
  countOrObject: 'a whole number from 1 or an object',
  textOrObject: 'a text or an object',
  version: '1, the only version there is',
};

function fits(kind: FieldRule['kind'], value: unknown): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string' && value.trim() !== '';
    case 'count':
      return typeof value === 'number' && Number.isInteger(value) && value >= 1;
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    case 'flag':
      return typeof value === 'boolean';
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'list':
      return Array.isArray(value);
    case 'countOrTexts':
      return fits('count', value) || (Array.isArray(value) && value.every((item) => typeof item === 'string'));
    case 'countOrObject':
      return fits('count', value) || fits('object', value);
    case 'textOrObject':
      return fits('text', value) || fits('object', value);
    case 'version':
      return value === 1;
  }
}

/** Describes a value without showing it: inputs may hold paths, and messages travel into histories. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return value.trim() === '' ? 'an empty text' : 'a text';
  return typeof value === 'number' ? String(value) : `a ${typeof value}`;
}

/** Fields that a person may give; what parents pass to their children is left out. */
function knownFields(rules: FieldRules): string[] {
  return Object.keys(rules).filter((name) => rules[name]?.about.startsWith('internal') !== true);
}

/**
 * Checks one plain-JSON input object against its rules and returns it.
 *
 * @throws CohortflowError `InvalidInput`: names every missing, mistyped and unknown field at once, with the known fields.
 */
export function checkInput<T>(workflow: string, rules: FieldRules, input: unknown): T {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    const required = Object.keys(rules).filter((name) => rules[name]?.required === true);
    throw new CohortflowError(
      'InvalidInput',
      `${workflow} takes one object as its input, found ${kindOf(input)}; required: ${required.join(', ')}`,
    );
  }
  const given = input as Readonly<Record<string, unknown>>;
  const faults: string[] = [];
  for (const [name, rule] of Object.entries(rules)) {
    const value = given[name];
    if (value === undefined || value === null) {
      if (rule.required === true) faults.push(`${name} is missing (${rule.about})`);
    } else if (!fits(rule.kind, value)) {
      faults.push(`${name} must be ${FIELD_KINDS[rule.kind]}, found ${kindOf(value)}`);
    } else if (rule.most !== undefined && typeof value === 'number' && value > rule.most) {
      faults.push(`${name} must be at most ${rule.most}, found ${value}`);
    } else if (rule.choices !== undefined && !rule.choices.includes(value as string)) {
      faults.push(`${name} must be one of ${rule.choices.join(', ')}`);
    }
  }
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(rules, name));
  if (unknown.length > 0) {
    faults.push(`unknown: ${unknown.join(', ')}; known: ${knownFields(rules).join(', ')}`);
  }
  if (faults.length > 0) throw new CohortflowError('InvalidInput', `${workflow}: ${faults.join('; ')}`, { faults });
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) as T;
}
