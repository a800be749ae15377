import type { Logger } from '@temporalio/common';

/** What observing can fail at; one line is written for each. */
export type Observing = 'labels' | 'metrics' | 'log' | 'traces';

/**
 * Looks at work without a part in it: what goes wrong while something is counted, logged or traced changes nothing for the
 * step, which goes its way. It is said once of each kind: the next step would only say the same.
 */
export class Harmless {
  private readonly said = new Set<Observing>();

  /** What `look` returns, or undefined where it failed. */
  try<T>(kind: Observing, log: Pick<Logger, 'warn'>, look: () => T): T | undefined {
    try {
      return look();
    } catch (error) {
      this.say(kind, log, error);
      return undefined;
    }
  }

  private say(kind: Observing, log: Pick<Logger, 'warn'>, error: unknown): void {
    if (this.said.has(kind)) return;
    try {
      log.warn(`observing failed (${kind}): steps go on, but not all of them are seen`, { error });
      this.said.add(kind);
    } catch {
      // The log itself is what fails: there is nobody to tell now.
    }
  }
}
