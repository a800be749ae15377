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
