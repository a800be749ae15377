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
  /** Machines that are taken back, or whose agent falls silent, in the middle of their work. */
  readonly interrupt?: number;
  readonly loseAgent?: number;
  /** Jobs and machines for which there is no room in the service just then. */
  readonly noCapacity?: number;
  /** Jobs that are refused because others have the account's quota just then. */
  readonly limitExceeded?: number;
}

/** What happens to work in its middle. */
export type Mishap = 'kill' | 'interrupt' | 'lose-agent';

type Counted = CallFault | Mishap | 'capacity' | 'limit';

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
  readonly #counts = new Map<Counted, number>();
  readonly #strikes = new Map<Mishap, number>();
  readonly #withoutCapacity = new Set<string>();
  readonly #random: () => number;

  constructor(
    public rates: FaultRates = {},
    seed = 1,
  ) {
    this.#random = seeded(seed);
  }

  /** How often this kind of fault has been injected. */
  count(kind: Counted): number {
    return this.#counts.get(kind) ?? 0;
  }

  /** The next so many jobs are killed in the middle of their work. */
  killNext(jobs: number): void {
    this.strike('kill', jobs);
  }

  /** This happens to the next so many. */
  strike(mishap: Mishap, times: number): void {
    this.#strikes.set(mishap, (this.#strikes.get(mishap) ?? 0) + times);
  }

  /** There is no machine of a type, or in a subnet, until it is said that there is. */
  noCapacity(where: string, none = true): void {
    if (none) this.#withoutCapacity.add(where);
    else this.#withoutCapacity.delete(where);
  }

  capacity(type: string, subnet: string | undefined): boolean {
    const none =
      this.#withoutCapacity.has(type) ||
      (subnet !== undefined && this.#withoutCapacity.has(subnet)) ||
      this.happens(this.rates.noCapacity);
    if (none) this.injected('capacity');
    return none;
  }

  /** Whether the quota is taken by others just now. */
  limitExceeded(): boolean {
    if (!this.happens(this.rates.limitExceeded)) return false;
    this.injected('limit');
    return true;
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
    return this.strikes('kill');
  }

  /** At which share of its time this happens to something that begins now, or undefined when it does not. */
  strikes(mishap: Mishap): number | undefined {
    const { killJob = 0, interrupt = 0, loseAgent = 0 } = this.rates;
    const rate = { kill: killJob, interrupt, 'lose-agent': loseAgent }[mishap];
    const scripted = this.#strikes.get(mishap) ?? 0;
    if (scripted > 0) this.#strikes.set(mishap, scripted - 1);
    else if (this.#random() >= rate) return undefined;
    this.injected(mishap);
    return this.#random();
  }

  /** Throws the dice only where there is a rate: others' throws stay as they are. */
  private happens(rate = 0): boolean {
    return rate > 0 && this.#random() < rate;
  }

  private injected<K extends Counted>(kind: K): K {
    this.#counts.set(kind, this.count(kind) + 1);
    return kind;
  }
}
