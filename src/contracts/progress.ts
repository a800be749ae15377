import type { UnitCounts } from './outcome.js';
import type { Modality } from './workflow-ids.js';

/** Name of the query that every cohort workflow and lane answers. */
export const PROGRESS_QUERY = 'progress';

/** Where one fan-out stands. */
export interface FanOutProgress extends UnitCounts {
  readonly running: number;
  /** Most units at once. */
  readonly width: number;
  /** True while nothing new is started. */
  readonly paused: boolean;
  /** Lanes to ask for the counts of a large cohort; 0 when this workflow runs its units itself. */
  readonly lanes: number;
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
  /** Present in the workflow that runs the units. */
  readonly fanOut?: FanOutProgress;
}
