import { CohortflowError } from '../domain/errors.js';
import { LARGEST_START_RATE, LARGEST_WIDTH } from './control.js';
import type { FanOutModality } from './workflow-ids.js';

/** A value for both modalities, or one for each. */
export type PerModality<T> = T | Partial<Readonly<Record<FanOutModality, T>>>;

/** A pool of slots that cohorts share; each holds at most what is granted to it. */
export interface PoolChoice {
  /** Letters, digits, dots, hyphens and underscores. */
  readonly name: string;
  /** Slots in all. Where cohorts name different sizes, the smallest holds. */
  readonly size: number;
}

/** How a fan-out is to run. */
export interface FanOutChoice {
  /** Units at once. */
  readonly concurrency: number;
  /** Units started in a minute at most; 0 is no limit. */
  readonly startRate: number;
  /** Failures in a row with one code of the environment after which the cohort pauses. */
  readonly pauseAfter: number;
  readonly pool?: PoolChoice;
  /** What the executor can hold, whatever is asked for. */
  readonly limit?: WidthLimit;
}

/** What a service can hold at once of one modality's units. */
export interface WidthLimit {
  /** Absent where nobody could say. */
  readonly most?: number;
  /** What says so, as `the quota "…"`, or why nobody could. */
  readonly why?: string;
}

/** A width that a service can hold. */
export function withinLimit(width: number, limit: WidthLimit | undefined): number {
  return Math.min(width, limit?.most ?? width);
}

/** What an operator is told of a width that was asked for; undefined when it is as it was asked for. */
export function widthNote(asked: number, limit: WidthLimit | undefined): string | undefined {
  if (limit === undefined) return undefined;
  const { most, why = 'what the executor can hold' } = limit;
  if (most === undefined) return `width ${asked}: ${why}`;
  return asked > most ? `width ${most} of ${asked}: ${why}` : undefined;
}

/** The fields of an input that say so. */
export interface FanOutFields {
  readonly concurrency?: PerModality<number>;
  readonly startRate?: PerModality<number>;
  readonly pauseAfter?: number;
  readonly pool?: PerModality<PoolChoice>;
}

export const DEFAULT_CONCURRENCY = 50;
/** So many cases are lost at most before someone is asked; fewer would take a bad site for a full disk. */
export const DEFAULT_PAUSE_AFTER = 5;
const MODALITIES: readonly FanOutModality[] = ['imaging', 'genomics'];
const POOL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

function refuse(message: string): never {
  throw new CohortflowError('InvalidInput', message);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function whole(value: unknown, name: string, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  return refuse(`${name} must be a whole number from ${least} to ${most}`);
}

/** The value for one modality of a field that may be given for both or for each, and how errors are to name it. */
function of(
  value: unknown,
  modality: FanOutModality,
  name: string,
  isOne: (value: unknown) => boolean,
): readonly [value: unknown, name: string] {
  if (value === undefined || isOne(value)) return [value, name];
  if (!isObject(value)) return refuse(`${name}: one value, or an object with imaging and genomics, is wanted`);
  const unknown = Object.keys(value).filter((key) => !MODALITIES.includes(key as FanOutModality));
  if (unknown.length > 0) refuse(`${name}: unknown: ${unknown.join(', ')}; known: ${MODALITIES.join(', ')}`);
  return [value[modality], `${name}.${modality}`];
}

const isNumber = (value: unknown): boolean => typeof value === 'number';
const isPool = (value: unknown): boolean => isObject(value) && ('name' in value || 'size' in value);

function poolOf(value: unknown): PoolChoice {
  if (!isObject(value)) return refuse('pool: an object with name and size is wanted');
  const { name, size, ...rest } = value;
  if (Object.keys(rest).length > 0) refuse(`pool: unknown: ${Object.keys(rest).join(', ')}; known: name, size`);
  if (typeof name !== 'string' || !POOL_NAME.test(name)) {
    return refuse('pool.name must be 1 to 64 letters, digits, dots, hyphens and underscores');
  }
  return { name, size: whole(size, 'pool.size', 1, 100_000) };
}

/**
 * How the fan-out of one modality is to run, with the defaults.
 *
 * @throws CohortflowError `InvalidInput` naming the field
 */
export function fanOutChoice(input: FanOutFields, modality: FanOutModality): FanOutChoice {
  const [width, widthName] = of(input.concurrency, modality, 'concurrency', isNumber);
  const [rate, rateName] = of(input.startRate, modality, 'startRate', isNumber);
  const [pool] = of(input.pool, modality, 'pool', isPool);
  const { pauseAfter } = input;
  return {
    concurrency: width === undefined ? DEFAULT_CONCURRENCY : whole(width, widthName, 1, LARGEST_WIDTH),
    startRate: rate === undefined ? 0 : whole(rate, rateName, 0, LARGEST_START_RATE),
    pauseAfter: pauseAfter === undefined ? DEFAULT_PAUSE_AFTER : whole(pauseAfter, 'pauseAfter', 1, 1_000_000),
    ...(pool === undefined ? {} : { pool: poolOf(pool) }),
  };
}

/** A choice as the fields of another workflow's input. */
export function fanOutFields({ startRate, limit: _, ...rest }: FanOutChoice): FanOutFields {
  return { ...rest, ...(startRate === 0 ? {} : { startRate }) };
}
