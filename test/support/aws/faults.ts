/** What may go wrong with a call. `drop-after`: the action took place and the answer is lost. */
export type CallFault = 'throttle' | 'unavailable' | 'drop-before' | 'drop-after';

/** How often things go wrong, between 0 and 1. */
export interface FaultRates {
  readonly throttle?: number;
  readonly unavailable?: number;
  readonly dropBefore?: number;
  readonly dropAfter?: number;
  /** Jobs that are killed in the middle of their work, as for memory. */
  readonly killJob?: number;
}

/** A generator that gives the same numbers for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Faults by rate and by script: what is scripted for an action comes first, in order. */
export class Faults {
  readonly #scripts = new Map<string, CallFault[]>();
  readonly #counts = new Map<CallFault | 'kill', number>();
  #kills = 0;
  readonly #random: () => number;

  constructor(
    public rates: FaultRates = {},
    seed = 1,
  ) {
    this.#random = seeded(seed);
  }

  /** How often this kind of fault has been injected. */
  count(kind: CallFault | 'kill'): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** The next so many jobs are killed in the middle of their work. */
  killNext(jobs: number): void {
    this.#kills += jobs;
  }

  /** The next calls of an action go wrong in these ways. */
  next(action: string, ...faults: CallFault[]): void {
    this.#scripts.set(action, [...(this.#scripts.get(action) ?? []), ...faults]);
  }

  /** What goes wrong with this call, if anything. */
  of(action: string): CallFault | undefined {
    const scripted = this.#scripts.get(action)?.shift();
    if (scripted !== undefined) return this.injected(scripted);
    const { throttle = 0, unavailable = 0, dropBefore = 0, dropAfter = 0 } = this.rates;
    const chances: readonly (readonly [CallFault, number])[] = [
      ['throttle', throttle],
      ['unavailable', unavailable],
      ['drop-before', dropBefore],
      ['drop-after', dropAfter],
    ];
    // One throw of the dice: rates are shares of all calls.
    let dice = this.#random();
    for (const [fault, rate] of chances) {
      if (dice < rate) return this.injected(fault);
      dice -= rate;
    }
    return undefined;
  }

  /** At which share of its time a job is to be killed, or undefined when it is not. */
  killAfter(): number | undefined {
    if (this.#kills > 0) this.#kills -= 1;
    else if (this.#random() >= (this.rates.killJob ?? 0)) return undefined;
    this.injected('kill');
    return this.#random();
  }

  private injected<K extends CallFault | 'kill'>(kind: K): K {
    this.#counts.set(kind, this.count(kind) + 1);
    return kind;
  }
}
