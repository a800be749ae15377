import { CohortflowError } from '../domain/errors.js';
import { isFailureCode, type FailureCode } from '../domain/failures/index.js';
import type { UnitCounts } from './outcome.js';
import type { FanOutModality } from './workflow-ids.js';

/** Updates that cohort workflows take while they run; each answers with how the cohort now stands. */
export const CONTROL_UPDATES = {
  pause: 'pause',
  resume: 'resume',
  setConcurrency: 'setConcurrency',
  setStartRate: 'setStartRate',
  retryFailed: 'retryFailed',
  report: 'writeReport',
} as const;

/** Signals between the workflows of one cohort; people use the updates. */
export const COHORT_SIGNALS = {
  /** A change passed down to the workflow that runs the units. */
  steer: 'steer',
  /** Failed units that a fan-out is to run again. */
  retryRound: 'retryRound',
  /** What a lane or a modality tells its parent. */
  report: 'report',
  /** The circuit breaker of a cohort tells its lanes: it tripped, or what failed so is run again by a retry. */
  breaker: 'breaker',
} as const;

/** A change: what is absent stays as it is. */
export type SteeringChange = Partial<SteeringState>;

/** How a fan-out is steered. */
export interface SteeringState {
  /** Nothing new is started; what runs goes on to its end. */
  readonly paused: boolean;
  /** Most units at once. */
  readonly width: number;
  /** Most units started in a minute; 0 is no limit. */
  readonly startRate: number;
}

/** Why a cohort paused itself: the last outcomes all failed with one code that is the environment's fault. */
export interface BreakerTrip {
  readonly code: FailureCode;
  /** Failures in a row. */
  readonly failures: number;
  /** ISO time. */
  readonly since: string;
}

/** Units that a retry takes in again; each round has its own pages. */
export interface RetryRound {
  readonly round: number;
  readonly total: number;
}

/** Which failed units to run again; all of them when nothing is given. */
export interface RetryRequest {
  /** Failure code, as `DiskFull`. */
  readonly code?: string;
  /** Name of the step that failed, as `imaging.convert`. */
  readonly step?: string;
}

/** A report of a run that is under way. */
export interface InterimReport {
  /** Place of the report; absent when it could not be written. */
  readonly report?: string;
  /** Failure code of the table or the report that could not be written. */
  readonly code?: string;
}

/** How many units a retry took in. */
export type RetryAnswer = Readonly<Partial<Record<FanOutModality, number>>>;

/** What a lane tells its cohort, and a modality its root. Few and far between: each is an event of the parent. */
export interface PartReport {
  readonly from: string;
  readonly counts?: UnitCounts;
  /** The part runs no more than this many units now: sent after its width was lowered. */
  readonly settled?: number;
  readonly tripped?: BreakerTrip;
  /** Failures of the environment in a row, of a lane in which there are several; none when the row has ended. */
  readonly row?: BreakerRowReport;
  /** True from when the circuit breaker holds units of it until all of them have been run again. */
  readonly holds?: boolean;
  /** The last few failures: unit key, step and code. */
  readonly lastFailures?: readonly string[];
}

/** How many units in a row failed with one code of the environment. */
export interface BreakerRowReport {
  readonly code: string;
  readonly failures: number;
}

/** What a cohort tells its lanes of its circuit breaker. */
export interface BreakerOrder {
  /** It tripped because of this code; without one, what failed in a row is run again by a retry. */
  readonly code?: FailureCode;
}

/** Concurrency as a person gives it to a running cohort. */
export type WidthRequest = number | { readonly imaging?: number; readonly genomics?: number };

/** The width that is asked for of one modality; undefined when it is to stay. */
export function widthFor(request: WidthRequest, modality: FanOutModality): number | undefined {
  return typeof request === 'number' ? request : request[modality];
}

/** More at once than this belongs to several cohorts: a parent's history would be failed by its own children. */
export const LARGEST_WIDTH = 500;

/** Refuses a width that no fan-out can have; throws `InvalidInput`. */
export function checkWidth(width: unknown, name = 'concurrency'): void {
  if (typeof width === 'number' && Number.isInteger(width) && width >= 1 && width <= LARGEST_WIDTH) return;
  const found = typeof width === 'number' ? String(width) : `a ${typeof width}`;
  throw new CohortflowError(
    'InvalidInput',
    `${name} must be a whole number from 1 to ${LARGEST_WIDTH}, found ${found}`,
  );
}

/** Refuses what is no concurrency of a whole cohort; throws `InvalidInput`. */
export function checkWidthRequest(request: unknown): void {
  if (typeof request !== 'object' || request === null) {
    checkWidth(request);
    return;
  }
  const entries = Object.entries(request);
  const unknown = entries.filter(([name]) => name !== 'imaging' && name !== 'genomics').map(([name]) => name);
  if (unknown.length > 0 || entries.length === 0) {
    const found = unknown.length > 0 ? `unknown: ${unknown.join(', ')}` : 'nothing is given';
    throw new CohortflowError('InvalidInput', `concurrency: ${found}; known: imaging, genomics`);
  }
  for (const [name, width] of entries) checkWidth(width, `concurrency.${name}`);
}

/** Most units started in a minute that a limit can mean; above it there is none. */
export const LARGEST_START_RATE = 60_000;

/** Refuses what is no start rate; throws `InvalidInput`. 0 lifts the limit. */
export function checkStartRate(rate: unknown): void {
  if (typeof rate === 'number' && Number.isInteger(rate) && rate >= 0 && rate <= LARGEST_START_RATE) return;
  const found = typeof rate === 'number' ? String(rate) : `a ${typeof rate}`;
  throw new CohortflowError(
    'InvalidInput',
    `startRate must be a whole number of units a minute from 0 (no limit) to ${LARGEST_START_RATE}, found ${found}`,
  );
}

const RETRY_FIELDS = ['code', 'step'];

/** Refuses what is no choice of failed units; throws `InvalidInput`. */
export function checkRetryRequest(request: unknown): void {
  const refuse = (message: string): never => {
    throw new CohortflowError('InvalidInput', `retryFailed: ${message}`);
  };
  if (request === undefined || request === null) return;
  if (typeof request !== 'object' || Array.isArray(request)) {
    refuse(`an object with code and step is wanted, found a ${typeof request}`);
  }
  const given = request as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).filter((name) => !RETRY_FIELDS.includes(name));
  if (unknown.length > 0) refuse(`unknown: ${unknown.join(', ')}; known: ${RETRY_FIELDS.join(', ')}`);
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && (typeof value !== 'string' || value === '')) refuse(`${name} must be a text`);
  }
  const { code } = given;
  if (typeof code === 'string' && !isFailureCode(code)) {
    refuse(`${code} is no failure code; docs/failures.md lists them`);
  }
}

/** What a retry is told while the circuit breaker holds units: it would run them twice. */
export function unitsAreHeld(): CohortflowError {
  const message =
    'the circuit breaker holds cases that failed in a row: resume runs them again by itself; retry others after that';
  return new CohortflowError('InvalidInput', message);
}

/** What an update is told that comes before there are units. */
export function stillPreparing(): CohortflowError {
  return new CohortflowError('InvalidInput', 'the run is being prepared and no case has ended yet: ask again later');
}

/** What an update is told that comes while a run writes its tables. */
export function unitsHaveEnded(): CohortflowError {
  const message = 'all units have ended and the tables and the report are being written: wait until the run has ended';
  return new CohortflowError('InvalidInput', message);
}
