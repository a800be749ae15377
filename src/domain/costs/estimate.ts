import type { AssumptionName } from './assumptions.js';

/** One line of what something costs. */
export interface CostLine {
  readonly what: string;
  readonly dollars: number;
  /** The arithmetic, as `13.2 h × $0.151`. */
  readonly how: string;
}

/** A quota that must be at least so high for the plan to hold. */
export interface QuotaNeed {
  readonly quota: string;
  readonly least: number;
}

/** What the units of one modality take with one executor. */
export interface Estimate {
  readonly modality: 'imaging' | 'genomics';
  readonly executor: 'local' | 'sagemaker' | 'dragen';
  /** On what, as `50 jobs of ml.r5.large at once`. */
  readonly where: string;
  readonly units: number;
  readonly bytes: number;
  readonly atOnce: number;
  /** From the first start to the last end. */
  readonly hours: number;
  /** Hours of machines that are paid for. */
  readonly machineHours: number;
  /** Null where the machine has no price in the table; `notes` then says so. */
  readonly dollars: number | null;
  readonly lines: readonly CostLine[];
  /** What stays to be paid for the results, a month. */
  readonly monthly: readonly CostLine[];
  /** Figures of the price table that this was made with, as paths within the Region. */
  readonly figures: readonly string[];
  readonly assumes: readonly AssumptionName[];
  readonly needs: readonly QuotaNeed[];
  readonly notes: readonly string[];
}

export const HOURS_OF_MONTH = 730;

/** Dollars of some lines together, to a hundredth of a cent. */
export function totalOf(lines: readonly CostLine[]): number {
  return Math.round(lines.reduce((sum, { dollars }) => sum + dollars, 0) * 1e4) / 1e4;
}

export const roundTo = (value: number, digits: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: digits, useGrouping: false });

/** A line for machines by the hour. */
export function hourly(what: string, hours: number, price: number): CostLine {
  return { what, dollars: hours * price, how: `${roundTo(hours, 2)} h × $${price}` };
}
