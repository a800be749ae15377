import { Context } from '@temporalio/activity';
import {
  SWEEP_AGE_MINUTES,
  SWEEP_IDLE_MINUTES,
  type SweepActivities,
  type SweepReason,
  type SweepRequest,
  type SweepResult,
  type SweptWork,
  type WorkflowStanding,
} from '../contracts/sweep.js';
import type { RemoteExecutorName } from '../contracts/remote-work.js';
import { CohortflowError, messageOf } from '../domain/errors.js';
import { mapBounded } from '../domain/map-bounded.js';
import type { RemoteAlive, RemoteExecutor } from '../ports/remote-executor.js';

/** What a sweep asks. */
export interface SweepServices {
  readonly executor: (name: RemoteExecutorName) => Pick<RemoteExecutor, 'alive' | 'end'>;
  /** What the Temporal server says of a workflow, or of one run of it; rejects when it does not answer. */
  readonly standing: (workflowId: string, runId?: string) => Promise<WorkflowStanding>;
  readonly now?: () => number;
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Questions to the server and ends under way at once: both are throttled. */
const AT_ONCE = 8;

const MINUTE_MS = 60_000;

/** Pauses after which a service that was busy is asked again; whatever is left costs until the next sweep. */
const AGAIN_MS = [1_000, 3_000, 9_000];

async function sleeping(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  signal.throwIfAborted();
}

/** Asks again where the fault is one that passes. */
async function insistently<T>(
  ask: () => Promise<T>,
  { pause = sleeping }: SweepServices,
  signal: AbortSignal,
): Promise<T> {
  for (let again = 0; ; again += 1) {
    try {
      return await ask();
    } catch (error) {
      const wait = AGAIN_MS[again];
      if (wait === undefined || !(error instanceof CohortflowError && error.retryable)) throw error;
      await pause(wait, signal);
    }
  }
}

/** Why work belongs to nobody; undefined when a running workflow has it. */
async function reasonOf(
  work: RemoteAlive,
  { standing, now = Date.now }: SweepServices,
  { olderThanMinutes = SWEEP_AGE_MINUTES, unknown = false }: SweepRequest,
): Promise<SweepReason | undefined> {
  const { workflowId, runId, since, idleSince } = work;
  const youngestMs = olderThanMinutes * MINUTE_MS;
  if (idleSince !== undefined) {
    // Whoever says that nothing unknown is anybody's has no use for a pool that waits for more work either.
    const patience = unknown ? youngestMs : Math.max(youngestMs, SWEEP_IDLE_MINUTES * MINUTE_MS);
    return now() - Date.parse(idleSince) < patience ? 'young' : 'idle';
  }
  let found: WorkflowStanding | undefined;
  try {
    found = workflowId === undefined ? undefined : await standing(workflowId, runId);
  } catch {
    return 'unanswered';
  }
  if (found === 'open') return undefined;
  if (since !== undefined && now() - Date.parse(since) < youngestMs) return 'young';
  return found ?? 'untagged';
}

/** Reasons that prove that nobody waits for the work; the others leave a doubt, and what is in doubt stays. */
function isForsaken(reason: SweepReason, { unknown = false }: SweepRequest): boolean {
  return reason === 'closed' || reason === 'idle' || (unknown && (reason === 'unknown' || reason === 'untagged'));
}

/**
 * Finds what services still do for us and no running workflow waits for, and ends it when told to. Nothing is ended that a
 * server that did not answer may know of.
 *
 * @throws only the reason of an abort: a service that does not answer is listed
 */
export async function sweepWork(
  request: SweepRequest,
  services: SweepServices,
  signal: AbortSignal,
): Promise<SweepResult> {
  const { executors, end } = request;
  const unasked: { executor: RemoteExecutorName; message: string }[] = [];
  const alive: RemoteAlive[] = [];
  for (const executor of executors) {
    try {
      alive.push(...(await insistently(() => services.executor(executor).alive(signal), services, signal)));
    } catch (error) {
      signal.throwIfAborted();
      unasked.push({ executor, message: messageOf(error) });
    }
  }
  const judged = await mapBounded(alive, AT_ONCE, async (work): Promise<SweptWork | undefined> => {
    signal.throwIfAborted();
    const reason = await reasonOf(work, services, request);
    if (reason === undefined) return undefined;
    if (!end || !isForsaken(reason, request)) return { ...work, reason, outcome: 'left' };
    try {
      await insistently(() => services.executor(work.executor).end(work, signal), services, signal);
      return { ...work, reason, outcome: 'ended' };
    } catch (error) {
      signal.throwIfAborted();
      return { ...work, reason, outcome: 'failed', message: messageOf(error) };
    }
  });
  const found = judged.filter((work) => work !== undefined);
  return { alive: alive.length, belongs: alive.length - found.length, found, unasked };
}

const HEARTBEAT_MS = 5_000;

/** The sweep as an activity, for a workflow on a schedule. */
export function createSweepActivities(services: SweepServices): SweepActivities {
  return {
    sweepRemote: async (request) => {
      const { cancellationSignal } = Context.current();
      const alive = setInterval(() => Context.current().heartbeat(), HEARTBEAT_MS);
      try {
        return await sweepWork(request, services, cancellationSignal);
      } finally {
        clearInterval(alive);
      }
    },
  };
}
