import { DefaultLogger, Runtime, type LogEntry } from '@temporalio/worker';

/** Attributes that may be logged: ids and kinds, never payloads, which may hold what must stay in the data. */
const SHOWN = ['workflowType', 'workflowId', 'activityType', 'attempt', 'taskQueue', 'error'] as const;

function shown({ meta }: LogEntry): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of SHOWN) {
    const value = meta?.[name] as unknown;
    if (value !== undefined) found[name] = value instanceof Error ? value.message : value;
  }
  return found;
}

/** Makes the SDK log one JSON object a line on standard error, without payloads. Call once, before any connection. */
export function installRuntime(): void {
  const logger = new DefaultLogger('WARN', (entry) => {
    const time = new Date(Number(entry.timestampNanos / 1_000_000n)).toISOString();
    process.stderr.write(`${JSON.stringify({ time, level: entry.level, message: entry.message, ...shown(entry) })}\n`);
  });
  Runtime.install({ logger, shutdownSignals: [] });
}
