import { isCancellation } from '@temporalio/workflow';
import type { BreakerTrip } from '../contracts/control.js';
import type { FailureCode } from '../domain/failures/index.js';
import { isEnvironment } from './breaker.js';
import { isReportable, stepFailure } from './failures.js';

/** Says why nothing goes on; resolves when someone said that it is mended. */
export type Mended = (trip: BreakerTrip) => Promise<void>;

/**
 * Does work that belongs to no single unit. Where the environment fails it (a full disk) it would fail again: someone is
 * asked, and when they say to go on it is done again.
 */
export async function untilMended<T>(
  work: () => Promise<T>,
  mended: Mended,
  asksFor: (code: FailureCode) => boolean = () => true,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (isCancellation(error) || !isReportable(error)) throw error;
      const { code } = stepFailure(error);
      if (!isEnvironment(code) || !asksFor(code)) throw error;
      await mended({ code, failures: 1, since: new Date().toISOString() });
    }
  }
}
