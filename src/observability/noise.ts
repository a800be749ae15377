import type { LogEntry } from './log-line.js';

/** Attribute of a log line about a step whose failure has been logged by us, with its code. Never shown itself. */
export const FAILURE_LOGGED = 'stepFailureLogged';

/**
 * True for lines that say nothing new: the SDK's of a step that failed, once ours is written; what a worker does not serve by
 * design. Where ours could not be written the SDK's is all there is.
 */
export function isNoise({ message, meta }: Pick<LogEntry, 'message' | 'meta'>): boolean {
  if (message === 'Activity failed') return meta?.[FAILURE_LOGGED] === true;
  return /^No (workflows|activities|Nexus services) registered/.test(message);
}
