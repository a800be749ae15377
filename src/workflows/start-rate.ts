import { condition } from '@temporalio/workflow';

/**
 * Spaces starts out. Up to one a second each waits its turn; above, a second's worth goes at once, so that a fast rate
 * does not cost a timer for every unit.
 */
export class StartRate {
  private tokens = 1;
  private filledAt = Date.now();

  /** @param perMinute the rate now; 0 is no limit */
  constructor(private readonly perMinute: () => number) {}

  /** Waits until one more may start; a change of the rate meanwhile counts at once. */
  async turn(): Promise<void> {
    for (;;) {
      const perMinute = this.perMinute();
      const rate = perMinute / 60_000;
      if (rate === 0) return;
      const now = Date.now();
      const burst = Math.max(1, rate * 1000);
      // A clock that was set back takes nothing away.
      this.tokens = Math.min(burst, this.tokens + Math.max(0, now - this.filledAt) * rate);
      this.filledAt = now;
      if (this.tokens >= 1 - 1e-9) {
        this.tokens -= 1;
        return;
      }
      await condition(() => this.perMinute() !== perMinute, Math.max(1, Math.ceil((burst - this.tokens) / rate)));
    }
  }
}
