import { setTimeout as sleep } from 'node:timers/promises';
import type { RemoteEnd } from '../../../contracts/remote-work.js';
import { CohortflowError } from '../../../domain/errors.js';
import { WorkFailed } from '../../../ports/remote-executor.js';
import { jittered } from '../rate.js';

/** So often in a row a service may not answer before the worker lets another one look. */
const MOST_BLIND_LOOKS = 60;

/** Looks until the end has come. */
export async function untilEnd(
  look: () => Promise<RemoteEnd | undefined>,
  pollMs: number,
  signal: AbortSignal,
  onProgress: (message: string) => void,
): Promise<RemoteEnd> {
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
    await sleep(jittered(pollMs * Math.max(1, Math.min(blind, 4))), undefined, { signal });
  }
}
