import type { BreakerTrip } from './control.js';
import type { UnitCounts } from './outcome.js';
import type { FanOutModality, Modality } from './workflow-ids.js';

/** Name of the query that every cohort workflow and lane answers. */
export const PROGRESS_QUERY = 'progress';

/** Where one fan-out stands. */
export interface FanOutProgress extends UnitCounts {
  readonly modality: FanOutModality;
  readonly running: number;
  /** Most units at once. */
  readonly width: number;
  /** Why it is not as wide as was asked for, or why that may be too wide. */
  readonly note?: string;
  /** True while nothing new is started. */
  readonly paused: boolean;
  /** Most units started in a minute; 0 is no limit. */
  readonly startRate: number;
  /** Why the fan-out paused itself. */
  readonly breaker?: BreakerTrip;
  /** Failed units that were taken in again: `failed` counts them no more. */
  readonly retried: number;
  /** What a pool shared with other cohorts grants this one. */
  readonly pool?: { readonly name: string; readonly slots: number };
  /** The lanes that run units of this fan-out: ask them for the latest; these counts are contained in the ones above. */
  readonly lanes: readonly { readonly id: string; readonly counts: UnitCounts }[];
  /** The last few failures: unit key, step and code. */
  readonly lastFailures: readonly string[];
}

/** The answer of the progress query. */
export interface CohortProgress {
  readonly phase: 'preparing' | 'running' | 'joining' | 'reporting' | 'finished';
  /** ISO time of the workflow's start. */
  readonly startedAt: string;
  /** Modalities that this workflow started as children: ask `<workflowId>/<modality>`. */
  readonly children: readonly Modality[];
  /** What the modalities last told of themselves; they are asked for the latest. */
  readonly parts: Readonly<Partial<Record<Modality, UnitCounts>>>;
  /** Why the end of a run waits for someone: its tables cannot be written. */
  readonly breaker?: BreakerTrip;
  /** The last few failures of all modalities: modality, unit key, step and code. */
  readonly lastFailures?: readonly string[];
  /** Present in the workflow that runs the units. */
  readonly fanOut?: FanOutProgress;
}
