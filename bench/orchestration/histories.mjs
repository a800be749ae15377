// What histories tell: events, billable actions, children in flight.
import proto from '@temporalio/proto';

const { EventType: T } = proto.temporal.api.enums.v1;

/** Billable actions by event, as Temporal Cloud counts them; heartbeats leave no event (stub activities send none). */
const ACTIONS = new Map([
  [T.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED, 2],
  [T.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, 1],
  [T.EVENT_TYPE_TIMER_STARTED, 1],
  [T.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, 1],
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED, 1],
  [T.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, 1],
  [T.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, 1],
]);
const BEGINS = T.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED;
const ENDS = new Set([
  T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED,
  T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
  T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED,
  T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED,
  T.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT,
]);

const millis = ({ eventTime }) => Number(eventTime.seconds) * 1000 + eventTime.nanos / 1e6;

/** Events and actions of one run; when its children began and ended. */
export function read(history) {
  const events = history.events ?? [];
  let actions = 0;
  const moves = [];
  for (const event of events) {
    actions += ACTIONS.get(event.eventType) ?? 0;
    if (event.eventType === BEGINS) moves.push([millis(event), 1]);
    else if (ENDS.has(event.eventType)) moves.push([millis(event), -1]);
  }
  return { events: events.length, actions, moves };
}

/** Every run of a workflow id that continued as new, from the first on. */
export async function chain(client, workflowId, firstRun) {
  const runs = [];
  for (let runId = firstRun; runId !== undefined && runId !== '';) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    runs.push(read(history));
    const last = history.events.at(-1);
    runId = last.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
  return runs;
}

/** Most children at once over all parents. An end frees its slot before a start of the same moment takes it. */
export function mostInFlight(runs) {
  const moves = runs.flatMap((run) => run.moves).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let [now, most] = [0, 0];
  for (const [, by] of moves) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}
