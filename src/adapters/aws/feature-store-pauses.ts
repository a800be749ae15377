import { setTimeout as sleep } from 'node:timers/promises';

/** Waits; ends with the signal's reason when that is aborted. */
export type Pause = (milliseconds: number, signal: AbortSignal) => Promise<void>;

export const realPause: Pause = async (milliseconds, signal) => {
  signal.throwIfAborted();
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
};

/** Milliseconds before a try: doubled each time, up to a most, and a random part of it so that many do not come at once. */
export function backoff(attempt: number, first: number, most: number, random: () => number = Math.random): number {
  const full = Math.min(most, first * 2 ** attempt);
  return full / 2 + (full / 2) * random();
}

/** How a call is repeated. */
export interface Repeating {
  /** Milliseconds before the second try, and the longest there may be between two. */
  readonly first: number;
  readonly most: number;
  readonly tries: number;
  readonly pause: Pause;
}

/** Repeats a call while its fault may pass; the last fault is thrown. */
export async function repeated<T>(
  call: () => Promise<T>,
  mayPass: (error: unknown) => boolean,
  { first, most, tries, pause }: Repeating,
  signal: AbortSignal,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (attempt + 1 >= tries || !mayPass(error)) throw error;
      await pause(backoff(attempt, first, most), signal);
    }
  }
}
