/**
 * How something looked over time: a service that answers from a copy which lags behind shows how it looked a moment ago.
 */
export class History<State> {
  readonly #entries: { readonly at: number; readonly state: State }[] = [];

  /** Notes how it looks from now on. */
  note(state: State): void {
    this.#entries.push({ at: Date.now(), state });
  }

  /** How it looked so many milliseconds ago; undefined when it was not there yet. */
  before(lagMs: number): State | undefined {
    const then = Date.now() - lagMs;
    return this.#entries.findLast(({ at }) => at <= then)?.state;
  }

  /** How it looks now. */
  get now(): State | undefined {
    return this.#entries.at(-1)?.state;
  }
}
