import {
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  isCancellation,
  sleep,
  startChild,
  workflowInfo,
  type ChildWorkflowOptions,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError, type Priority } from '@temporalio/common';
import { unitKey, type CohortUnit } from '../domain/cohort/manifest.js';
import type { UnitResult } from '../contracts/outcome.js';
import { unitWorkflowId, type FanOutModality } from '../contracts/workflow-ids.js';
import type { JsonObject } from '../steps/step.js';
import { recordOutcome } from './activities.js';
import type { Addressee } from './courier.js';
import { isOwnCancellation, stepFailure } from './failures.js';
import { modalityAttribute } from './search-attributes.js';

/** Workflow type of one unit of a modality. */
const CHILD_TYPE: Readonly<Record<FanOutModality, string>> = { imaging: 'imagingStudy', genomics: 'genomicsSample' };

/** What all units of one fan-out share; plain JSON, since it crosses continue-as-new. */
export interface FanOut {
  readonly modality: FanOutModality;
  readonly cohortId: string;
  readonly output: string;
  readonly runId: string;
  /** Units of the round that a slice belongs to. */
  readonly total: number;
  /** The child's input without its unit and round. */
  readonly childInput: JsonObject;
  /** Failures in a row with one code of the environment after which the cohort pauses. */
  readonly pauseAfter: number;
  /** True when what a lane holds of a shared pool must be accounted for. */
  readonly pooled: boolean;
  /** True when the search attributes are registered. */
  readonly searchAttributes: boolean;
}

/** How often, and how long apart, a child is started anew whose id is still taken by one of an earlier run. */
const START_ATTEMPTS = 30;
const START_PAUSE = '10 seconds';

const LONGEST_KEY = 64;

/**
 * What a server that divides its queues fairly goes by: cohorts get equal turns, however many units each has waiting.
 * Activities and children inherit it.
 */
function cohortPriority(): Priority {
  const { root, workflowId } = workflowInfo();
  return { fairnessKey: (root?.workflowId ?? workflowId).slice(-LONGEST_KEY) };
}

/**
 * Runs one child to its end. A run that was terminated asks its children to cancel, and they take their time: the next
 * run waits for them instead of failing the unit.
 *
 * @param input what it is given, or what makes it for each attempt to start it
 * @param onStarted called with the child once it runs: before that, its id may still be another one's
 */
export async function childToEnd<R>(
  type: string,
  workflowId: string,
  input: unknown,
  options: Pick<ChildWorkflowOptions, 'staticSummary' | 'typedSearchAttributes'>,
  onStarted: (child: Addressee) => void = () => undefined,
): Promise<R> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const child = await startChild<(input: unknown) => Promise<R>>(type, {
        workflowId,
        args: [typeof input === 'function' ? (input as () => unknown)() : input],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        priority: cohortPriority(),
        ...options,
      });
      onStarted(child);
      return await child.result();
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError) || attempt === START_ATTEMPTS) throw error;
      await sleep(START_PAUSE);
    }
  }
}

/** How one unit ended, as its parent counts it. */
export type ChildEnd = UnitResult | { readonly outcome: 'cancelled' };

/** Runs the child of one unit. It never fails: whatever became of it is counted. Only cancellation of the caller is thrown. */
export async function runChild(fanOut: FanOut, round: number, unit: CohortUnit): Promise<ChildEnd> {
  const { cohortId, modality, childInput, output, runId, searchAttributes } = fanOut;
  const key = unitKey(unit);
  const again = round === 0 ? {} : { round };
  try {
    const workflowId = unitWorkflowId(cohortId, unit.alias ?? key);
    const options = {
      staticSummary: `${modality} of ${unit.alias ?? key}`,
      ...(searchAttributes ? { typedSearchAttributes: modalityAttribute(modality) } : {}),
    };
    const input = { ...childInput, ...again, unit };
    return await childToEnd<UnitResult>(CHILD_TYPE[modality], workflowId, input, options);
  } catch (error) {
    if (isOwnCancellation(error)) throw error;
    // Someone cancelled this one child; it has written so itself.
    if (isCancellation(error)) return { outcome: 'cancelled' };
    // The child could not speak for itself (terminated, timed out, a fault of ours): its outcome is written here.
    const { code, message } = stepFailure(error);
    const part = key.slice(unit.caseId.length + 1);
    const nothing = { why: '', attempts: 1, started: new Date().toISOString(), seconds: 0 };
    const step = `${modality}.workflow`;
    const record = { caseId: unit.caseId, modality, part, step, outcome: 'failed', code, message } as const;
    await recordOutcome({ output, runId, record: { ...record, ...again, ...nothing } });
    return { outcome: 'failed', step, code };
  }
}
