/**
 * Where a span belongs, in the form of W3C Trace Context: both ids in lower-case hex.
 */
export interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

/** The header that the SDK's own OpenTelemetry interceptors write and read, so that a host's traces go through ours. */
export const TRACE_HEADER = '_tracer-data';

/**
 * The ids of a workflow run's own span: its run id, which is a random UUID, is the trace; the span is its second half. No
 * random number is drawn, so a replay finds the same, and whoever knows a run id finds its trace.
 */
export function spanOfRun(runId: string): Omit<TraceContext, 'sampled'> {
  const traceId = runId.replaceAll('-', '').toLowerCase();
  return { traceId, spanId: traceId.slice(16) };
}

/** Reads `traceparent`; undefined for what is none. */
export function parseTraceparent(text: unknown): TraceContext | undefined {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(String(text)) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Writes `traceparent`. */
export function traceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}
