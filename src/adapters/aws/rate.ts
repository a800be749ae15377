/** A call that waits for its turn. */
interface Waiting {
  readonly go: () => void;
}

/** A service that throttles everything still gets a call now and then. */
const LEAST_SHARE = 1 / 16;
const RECOVERED_BY_A_CALL = 1 / 16;

/**
 * Spaces out calls of many callers, so that together they stay below a service's rate. First come, first served; but calls
 * that end what costs money go before all that only look.
 */
export class Rate {
  readonly #urgent = new Set<Waiting>();
  readonly #patient = new Set<Waiting>();
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Share of the rate that the service has let us have lately. */
  #share = 1;

  /** @param perSecond calls a second at most */
  constructor(private readonly perSecond: number) {}

  /** The service said that calls come too fast: half as fast from now on. */
  throttled(): void {
    this.#share = Math.max(LEAST_SHARE, this.#share / 2);
  }

  /** A call went through: a little faster again, up to the whole rate. */
  wentThrough(): void {
    this.#share = Math.min(1, this.#share + RECOVERED_BY_A_CALL);
  }

  /**
   * Resolves when it is the caller's turn. Who stops waiting takes no turn.
   *
   * @param urgent before all who wait and are not
   * @throws the reason of the signal
   */
  turn(signal?: AbortSignal, { urgent = false }: { readonly urgent?: boolean } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const queue = urgent ? this.#urgent : this.#patient;
      const leave = (): void => {
        queue.delete(waiting);
        reject(signal?.reason as Error);
      };
      const waiting: Waiting = {
        go: () => {
          queue.delete(waiting);
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      queue.add(waiting);
      signal?.addEventListener('abort', leave, { once: true });
      this.#serve();
    });
  }

  /** Lets go who may go now, and comes back when the next one may. */
  #serve(): void {
    while (this.#timer === undefined) {
      const [first] = this.#urgent.size > 0 ? this.#urgent : this.#patient;
      if (first === undefined) return;
      const wait = this.#next - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#serve();
        }, wait);
        return;
      }
      this.#next = performance.now() + 1000 / (this.perSecond * this.#share);
      first.go();
    }
  }
}

/** A time around the given one, so that callers that began together do not stay together. */
export function jittered(milliseconds: number): number {
  return milliseconds * (0.75 + Math.random() * 0.5);
}
