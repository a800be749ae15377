import { setTimeout as sleep } from 'node:timers/promises';
import { CohortflowError } from '../../domain/errors.js';
import { WorkFailed } from '../../ports/remote-executor.js';
import { jittered } from './rate.js';

/** So often in a row a service may not answer before the worker lets another one look. */
const MOST_BLIND_LOOKS = 60;

/** The pause before the next look in ms; one number, or asked for after each look. */
type Pause = number | (() => number);

/**
 * Looks until there is something to report. A service that does not answer ends no look: what was learned by then counts on.
 *
 * @param look undefined as long as there is nothing to report
 * @param pauseMs longer while the service does not answer
 * @throws what `look` throws, but for retryable failures of single calls: these only after {@link MOST_BLIND_LOOKS} in a row
 */
export async function untilEnd<T extends object>(
  look: () => Promise<T | undefined>,
  pauseMs: Pause,
  signal: AbortSignal,
  onProgress: (message: string) => void = () => undefined,
): Promise<T> {
  let blind = 0;
  for (;;) {
    try {
      const end = await look();
      if (end !== undefined) return end;
      blind = 0;
    } catch (error) {
      // A service that does not answer says nothing of the work: it goes on, and so does the wait.
      const passes = error instanceof CohortflowError && !(error instanceof WorkFailed) && error.retryable;
      if (!passes || (blind += 1) >= MOST_BLIND_LOOKS) throw error;
      onProgress('the service does not answer');
    }
    const pause = typeof pauseMs === 'number' ? pauseMs : pauseMs();
    await sleep(jittered(pause * Math.max(1, Math.min(blind, 4))), undefined, { signal });
  }
}
