import { setTimeout as sleep } from 'node:timers/promises';

/** Spaces out calls of many callers, so that together they stay below a service's rate. First come, first served. */
export class Rate {
  #next = 0;

  /** @param perSecond calls a second at most */
  constructor(private readonly perSecond: number) {}

  #last: Promise<void> = Promise.resolve();

  /** Resolves when it is the caller's turn. Who stops waiting takes no turn. */
  turn(signal?: AbortSignal): Promise<void> {
    const mine = this.#last.then(async () => {
      if (signal?.aborted === true) return;
      const wait = this.#next - Date.now();
      if (wait > 0) await sleep(wait, undefined, signal === undefined ? {} : { signal });
      this.#next = Math.max(Date.now(), this.#next) + 1000 / this.perSecond;
    });
    this.#last = mine.catch(() => undefined);
    return mine.then(() => signal?.throwIfAborted());
  }
}

/** A time around the given one, so that callers that began together do not stay together. */
export function jittered(milliseconds: number): number {
  return milliseconds * (0.75 + Math.random() * 0.5);
}
