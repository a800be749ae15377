import { condition, setHandler } from '@temporalio/workflow';
import type { PoolChoice } from '../contracts/fan-out-choice.js';
import type { PoolGrant } from '../contracts/pools.js';
import { cohort } from './activities.js';
import { grantSignal } from './messages.js';

/** Grants of one stay in a pool are numbered from a multiple of this. */
const STAY = 1_000;

/**
 * What a fan-out holds of a pool that it shares with other cohorts. It claims what it could use, uses no more than was
 * granted, and confirms when it uses less: a slot it has not given back is nobody else's.
 */
export class PoolShare {
  private grant: Omit<PoolGrant, 'pool'> = { slots: 0, seq: 0, confirm: false };
  private wanted = 0;
  private closed = true;
  /** Called when the grant has changed. */
  onGrant: () => void = () => undefined;

  /**
   * @param holder workflow id of the fan-out
   * @param want slots it could use now
   * @param using slots it uses at most now
   */
  constructor(
    private readonly pool: PoolChoice,
    private readonly holder: string,
    private readonly want: () => number,
    private readonly using: () => number,
  ) {
    setHandler(grantSignal, (grant) => {
      if (grant.pool !== pool.name || grant.seq <= this.grant.seq) return;
      this.grant = grant;
      this.onGrant();
    });
  }

  get name(): string {
    return this.pool.name;
  }

  /** Slots it may use. */
  get slots(): number {
    return this.grant.slots;
  }

  /** Joins the pool, for the first time or again: grants of an earlier stay that come late are then too old. */
  open(): void {
    const seq = (Math.floor(this.grant.seq / STAY) + 1) * STAY;
    this.grant = { slots: 0, seq, confirm: false };
    this.closed = false;
  }

  /** Claims, and claims again whenever something else is wanted or a lowered grant is reached, until {@link close}. */
  async keep(): Promise<void> {
    while (!this.closed) {
      await this.claim(this.want(), this.using(), false);
      await condition(() => this.closed || this.want() !== this.wanted || this.confirms());
    }
  }

  /** Claims nothing more: {@link keep} ends, with its last claim delivered. */
  close(): void {
    this.closed = true;
  }

  /** Gives everything back. Nothing may be in flight any more, no claim either: it would come after this one. */
  async leave(): Promise<void> {
    await this.claim(0, 0, true);
  }

  private confirms(): boolean {
    return this.grant.confirm && this.using() <= this.slots;
  }

  private async claim(want: number, using: number, leaves: boolean): Promise<void> {
    const { seq, slots } = this.grant;
    this.wanted = want;
    if (using <= slots) this.grant = { ...this.grant, confirm: false };
    const { name, size } = this.pool;
    await cohort.claimPool({ pool: name, size, holder: this.holder, want, using, seq, leaves });
  }
}
