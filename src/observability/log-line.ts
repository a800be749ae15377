import { isFailureCode } from '../domain/failures/index.js';

/** One message with its attributes, as the SDK hands it to a logger. */
export interface LogEntry {
  readonly time: Date;
  readonly level: string;
  readonly message: string;
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Attributes that may be logged, by the name they have in a line: ids and kinds. Everything else the SDK attaches stays out:
 * among it are payloads, which hold what must stay in the data.
 */
const SHOWN: Readonly<Record<string, string>> = {
  // Ours: see activity-interceptor.ts.
  run: 'run',
  case: 'case',
  part: 'part',
  modality: 'modality',
  step: 'step',
  outcome: 'outcome',
  code: 'code',
  seconds: 'seconds',
  // The SDK's.
  attempt: 'attempt',
  activityType: 'activity',
  workflowType: 'workflowType',
  workflowId: 'workflow',
  workflowExecution: 'workflow',
  runId: 'runId',
  run_id: 'runId',
  taskQueue: 'queue',
  task_queue: 'queue',
  durationMs: 'durationMs',
  state: 'state',
  sdkComponent: 'from',
  trace_id: 'trace',
  span_id: 'span',
};

const MOST_CHARACTERS = 500;

function short(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)}…` : line;
}

/**
 * What a line says of an error: the code of the catalogue where it has one, and then nothing else. Only errors of the SDK
 * itself, which know nothing of a case, show their message.
 */
function shownError(error: unknown): Record<string, unknown> {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code = (at as { code?: unknown }).code ?? (at as { type?: unknown }).type;
    if (typeof code === 'string' && isFailureCode(code)) return { code };
  }
  if (error instanceof Error) return { error: short(`${error.name}: ${error.message}`) };
  return typeof error === 'string' ? { error: short(error) } : {};
}

/** What the SDK logs with the failure of a workflow: out of its sandbox comes bare text without the code, maybe of a case. */
const WORKFLOW_FAILED = 'Workflow failed';

/** The attributes of an entry that may be shown. */
export function shownAttributes({ message, meta }: Pick<LogEntry, 'message' | 'meta'>): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(meta ?? {})) {
    const as = SHOWN[name];
    if (name === 'error') Object.assign(found, message === WORKFLOW_FAILED ? {} : shownError(value));
    else if (as !== undefined && (typeof value === 'string' || typeof value === 'number')) found[as] = value;
  }
  return found;
}

/** One JSON object: what log collectors read. */
export function jsonLine({ time, level, message, meta }: LogEntry): string {
  return JSON.stringify({ time: time.toISOString(), level, message, ...shownAttributes({ message, meta }) });
}

/** The same for a person at a terminal. */
export function textLine({ time, level, message, meta }: LogEntry): string {
  const attributes = Object.entries(shownAttributes({ message, meta })).map(
    ([name, value]) => `${name}=${String(value)}`,
  );
  return [time.toISOString().slice(11, 23), level.padEnd(5), message, ...attributes].join(' ');
}
