import { CohortflowError } from '../domain/errors.js';

/** Updates that cohort workflows take while they run; each answers with how the cohort now stands. */
export const CONTROL_UPDATES = {
  pause: 'pause',
  resume: 'resume',
  setConcurrency: 'setConcurrency',
} as const;

/** The signal by which a parent passes a change on to the workflow that runs the units. */
export const STEER_SIGNAL = 'steer';

/** A change: what is absent stays as it is. */
export interface SteeringChange {
  readonly paused?: boolean;
  readonly width?: number;
}

/** How a fan-out is steered. */
export interface SteeringState {
  /** Nothing new is started; what runs goes on to its end. */
  readonly paused: boolean;
  /** Most units at once. */
  readonly width: number;
}

/** Concurrency as a person gives it to a running cohort. */
export type WidthRequest = number | { readonly imaging?: number; readonly genomics?: number };

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
