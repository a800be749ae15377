import type { WorkflowHandle } from '@temporalio/client';
import { temporal } from '@temporalio/proto';

export { firstTaskDone } from '../../src/testing/simulated-time.js';

type Event = temporal.api.history.v1.IHistoryEvent;

const { EventType } = temporal.api.enums.v1;

/** Milliseconds of an event, in the server's (simulated) time. */
function timeOf(event: Event): number {
  const { seconds, nanos } = event.eventTime ?? {};
  return Number(seconds ?? 0) * 1000 + (nanos ?? 0) / 1e6;
}

/** What a parent's history tells of its children and of its own duration. */
export interface ParentHistory {
  readonly events: number;
  readonly minutes: number;
  readonly children: number;
  /** Most children at once. */
  readonly mostInFlight: number;
}

const ENDS = new Set([
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
  EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED,
]);

export async function parentHistory(handle: WorkflowHandle): Promise<ParentHistory> {
  const events = (await handle.fetchHistory()).events ?? [];
  let inFlight = 0;
  let mostInFlight = 0;
  let children = 0;
  let [firstStart, lastEnd] = [Infinity, -Infinity];
  for (const event of events) {
    const type = event.eventType;
    if (type === EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED) {
      inFlight += 1;
      children += 1;
      firstStart = Math.min(firstStart, timeOf(event));
    } else if (type != null && ENDS.has(type)) {
      inFlight -= 1;
      lastEnd = Math.max(lastEnd, timeOf(event));
    }
    mostInFlight = Math.max(mostInFlight, inFlight);
  }
  return { events: events.length, minutes: (lastEnd - firstStart) / 60_000, children, mostInFlight };
}
