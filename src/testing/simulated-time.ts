import type { WorkflowHandle } from '@temporalio/client';
// A CommonJS package whose names Node cannot see from outside.
import proto from '@temporalio/proto';

const { EVENT_TYPE_WORKFLOW_TASK_COMPLETED } = proto.temporal.api.enums.v1.EventType;

const LOOK_AGAIN_MS = 100;

/** Waits, without letting simulated time run, until the workflow's first task has been worked on. */
export async function firstTaskDone(handle: Pick<WorkflowHandle, 'fetchHistory'>): Promise<void> {
  for (;;) {
    const events = (await handle.fetchHistory()).events ?? [];
    if (events.some((event) => event.eventType === EVENT_TYPE_WORKFLOW_TASK_COMPLETED)) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/**
 * The result of a workflow on a time-skipping server. That server skips time while a first workflow task is still loaded
 * by a cold worker, and a workflow may time out before it began; so its first task is waited for in real time.
 *
 * @throws WorkflowFailedError as `handle.result()` does
 */
export async function resultInSimulatedTime<R>(
  handle: Pick<WorkflowHandle, 'fetchHistory'> & { result(): Promise<R> },
): Promise<R> {
  await firstTaskDone(handle);
  return handle.result();
}
