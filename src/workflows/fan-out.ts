import {
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  allHandlersFinished,
  condition,
  continueAsNew,
  executeChild,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import { unitKey, type CohortUnit } from '../domain/cohort/manifest.js';
import { NO_UNITS, type UnitCounts, type UnitResult } from '../contracts/outcome.js';
import type { FanOutProgress } from '../contracts/progress.js';
import { laneWorkflowId, unitWorkflowId, type FanOutModality } from '../contracts/workflow-ids.js';
import { quick } from './activities.js';
import { stepFailure } from './failures.js';
import { runPool } from './pool.js';

/** Up to this many units a cohort runs its pool itself; above, lanes do (a parent's history stays under 4,000 events). */
export const DIRECT_LIMIT = 400;
/** A lane starts about this many units, drains and continues as new. */
export const LANE_RUN_LIMIT = 400;
const MOST_LANES = 10;
const PAGE = 50;
const FAILURES_KEPT = 5;

/** Workflow type of one unit of a modality. */
const CHILD_TYPE: Readonly<Record<FanOutModality, string>> = { imaging: 'imagingStudy', genomics: 'genomicsSample' };

/** What all units of one fan-out share; plain JSON, since it crosses continue-as-new. */
export interface FanOut {
  readonly modality: FanOutModality;
  readonly cohortId: string;
  readonly output: string;
  readonly runId: string;
  readonly total: number;
  /** The child's input without its unit. */
  readonly childInput: Readonly<Record<string, unknown>>;
}

/** A slice of the units: every `stride`-th from `first`; `started` of them were started by earlier runs. */
export interface Slice {
  readonly first: number;
  readonly stride: number;
  readonly started: number;
  readonly counts: UnitCounts;
  readonly width: number;
}

/** Live state of a slice, read by the progress query and by the lane's continue-as-new. */
export class SliceState {
  counts: UnitCounts;
  started: number;
  running = 0;
  width: number;
  lastFailures: string[] = [];

  constructor(slice: Slice) {
    this.counts = slice.counts;
    this.started = slice.started;
    this.width = slice.width;
  }

  /** Counts one ended unit. Synchronous: no await may come between reading and writing a count. */
  count(kind: Exclude<keyof UnitCounts, 'total'>): void {
    this.counts = { ...this.counts, [kind]: this.counts[kind] + 1 };
  }

  progress(total: number): FanOutProgress {
    const { counts, running, width, lastFailures } = this;
    return { ...counts, total, running, width, lanes: 0, lastFailures };
  }
}

/** Number of units in a slice of `total`. */
export function sliceSize(total: number, first: number, stride: number): number {
  return first >= total ? 0 : Math.ceil((total - first) / stride);
}

/** Hands out the units of a slice, a page at a time. */
function unitReader(
  fanOut: FanOut,
  slice: Slice,
  state: SliceState,
  limit: number,
): () => Promise<CohortUnit | undefined> {
  const { output, runId, modality, total } = fanOut;
  const size = sliceSize(total, slice.first, slice.stride);
  let page: CohortUnit[] = [];
  return async () => {
    if (state.started >= size || state.started - slice.started >= limit) return undefined;
    // The server sees this history grow too long before our own count does: drain early.
    if (limit !== Infinity && workflowInfo().continueAsNewSuggested) return undefined;
    if (page.length === 0) {
      const offset = slice.first + state.started * slice.stride;
      const units = await quick.loadUnits({ output, runId, modality, offset, stride: slice.stride, limit: PAGE });
      page = [...units];
    }
    state.started += 1;
    return page.shift();
  };
}

async function runChild(fanOut: FanOut, unit: CohortUnit): Promise<UnitResult> {
  const { cohortId, modality, childInput } = fanOut;
  const key = unitKey(unit);
  try {
    return await executeChild<(input: unknown) => Promise<UnitResult>>(CHILD_TYPE[modality], {
      workflowId: unitWorkflowId(cohortId, key),
      args: [{ ...childInput, unit }],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: `${modality} of ${key}`,
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    // The child could not speak for itself (terminated, timed out, a fault of ours): its outcome is written here.
    const { code, message } = stepFailure(error);
    const { output, runId } = fanOut;
    const part = key.slice(unit.caseId.length + 1);
    const nothing = { why: '', attempts: 1, started: new Date().toISOString(), seconds: 0 };
    const step = `${modality}.workflow`;
    const record = { caseId: unit.caseId, modality, part, step, outcome: 'failed', code, message, ...nothing } as const;
    await quick.recordOutcome({ output, runId, record });
    return { outcome: 'failed', step, code };
  }
}

/**
 * Runs the units of a slice, `state.width` at once, and counts how they end. Stops starting after `limit` units. A failed
 * unit is a count, never an error; only cancellation is thrown.
 */
export async function runSlice(fanOut: FanOut, slice: Slice, state: SliceState, limit: number): Promise<void> {
  await runPool<CohortUnit>({
    next: unitReader(fanOut, slice, state, limit),
    width: () => state.width,
    run: async (unit) => {
      state.running += 1;
      try {
        const result = await runChild(fanOut, unit);
        state.count(result.outcome);
        if (result.outcome === 'failed') {
          const line = `${unitKey(unit)}: ${result.step ?? ''} ${result.code ?? ''}`;
          state.lastFailures = [...state.lastFailures, line].slice(-FAILURES_KEPT);
        }
      } catch (error) {
        state.count('cancelled');
        throw error;
      } finally {
        state.running -= 1;
      }
    },
  });
}

/** Input of a lane: its slice and the fan-out it belongs to. */
export interface LaneInput {
  readonly fanOut: FanOut;
  readonly slice: Slice;
}

/** How a width is divided among lanes: differences of one at most, every lane at least one. */
export function divideWidth(width: number, lanes: number): number[] {
  return Array.from({ length: lanes }, (_, lane) => Math.floor(width / lanes) + (lane < width % lanes ? 1 : 0));
}

/** Runs all units of a fan-out: by itself up to {@link DIRECT_LIMIT}, by lanes above. Reports into `onProgress`. */
export async function runFanOut(
  fanOut: FanOut,
  width: number,
  onProgress: (progress: () => FanOutProgress) => void,
): Promise<UnitCounts> {
  const { total, cohortId } = fanOut;
  const whole: Slice = { first: 0, stride: 1, started: 0, counts: { ...NO_UNITS, total }, width };
  if (total <= DIRECT_LIMIT) {
    const state = new SliceState(whole);
    onProgress(() => state.progress(total));
    await runSlice(fanOut, whole, state, Infinity);
    return state.counts;
  }
  const lanes = Math.min(MOST_LANES, width);
  let counts: UnitCounts = { ...NO_UNITS, total };
  onProgress(() => ({ ...counts, running: 0, width, lanes, lastFailures: [] }));
  await Promise.all(
    divideWidth(width, lanes).map(async (laneWidth, lane) => {
      const size = sliceSize(total, lane, lanes);
      const slice: Slice = {
        first: lane,
        stride: lanes,
        started: 0,
        counts: { ...NO_UNITS, total: size },
        width: laneWidth,
      };
      const ended = await executeChild<(input: LaneInput) => Promise<UnitCounts>>('cohortLane', {
        workflowId: laneWorkflowId(cohortId, lane),
        args: [{ fanOut, slice }],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      });
      counts = addCounts(counts, ended);
    }),
  );
  return counts;
}

function addCounts(a: UnitCounts, b: UnitCounts): UnitCounts {
  return {
    total: a.total,
    done: a.done + b.done,
    reused: a.reused + b.reused,
    failed: a.failed + b.failed,
    cancelled: a.cancelled + b.cancelled,
  };
}

/** Ends this run of a lane and begins the next with what is left; returns when nothing is left. */
export async function continueLane(input: LaneInput, state: SliceState): Promise<void> {
  const { fanOut, slice } = input;
  if (state.started >= sliceSize(fanOut.total, slice.first, slice.stride)) return;
  await condition(allHandlersFinished);
  const { started, counts, width } = state;
  await continueAsNew<(next: LaneInput) => Promise<UnitCounts>>({
    fanOut,
    slice: { ...slice, started, counts, width },
  });
}
