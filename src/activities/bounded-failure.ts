import { toFailure, type FailureJson } from '../domain/errors.js';

/**
 * Most characters of a failure's message. What a server refuses for its size never arrives: the activity would count as
 * hanging until its heartbeat time-out, as often as it may be tried, and end without its own code.
 */
const MOST_MESSAGE = 20_000;

/** Most characters of a failure's details as JSON. */
const MOST_DETAILS = 200_000;

/** A text that fits, which says how much of it is missing. */
function shortened(text: string): string {
  if (text.length <= MOST_MESSAGE) return text;
  return `${text.slice(0, MOST_MESSAGE)}… (${text.length - MOST_MESSAGE} more characters)`;
}

function sizeOf(details: FailureJson['details']): number {
  try {
    return JSON.stringify(details).length;
  } catch {
    // Not JSON at all (a bigint, a cycle): it could not be sent either.
    return Infinity;
  }
}

/** Anything thrown as a coded failure that every server takes: a message that is cut, details that are left out when they are too many. */
export function boundedFailure(error: unknown): FailureJson {
  const { code, message, details } = toFailure(error);
  return {
    code,
    message: shortened(message),
    details: sizeOf(details) > MOST_DETAILS ? { detailsLeftOut: true } : details,
  };
}

/** The error below a failure, where it is one that can be sent along. */
export function boundedCause(error: unknown): Error | undefined {
  if (!(error instanceof Error)) return undefined;
  const texts = `${error.message}${error.stack ?? ''}`;
  // Whatever hangs below it is of unknown size.
  return texts.length > 2 * MOST_MESSAGE || error.cause !== undefined ? undefined : error;
}
