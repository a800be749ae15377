import { setTimeout as sleep } from 'node:timers/promises';

/** Spaces out calls of many callers, so that together they stay below a service's rate. First come, first served. */
export class Rate {
  #next = 0;

  /** @param perSecond calls a second at most */
  constructor(private readonly perSecond: number) {}

  /** Resolves when it is the caller's turn. */
  async turn(signal?: AbortSignal): Promise<void> {
    const now = Date.now();
    const at = Math.max(now, this.#next);
    this.#next = at + 1000 / this.perSecond;
    if (at > now) await sleep(at - now, undefined, signal === undefined ? {} : { signal });
  }
}

/** A time around the given one, so that callers that began together do not stay together. */
export function jittered(milliseconds: number): number {
  return milliseconds * (0.75 + Math.random() * 0.5);
}
