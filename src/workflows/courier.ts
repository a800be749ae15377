import { ApplicationFailure, getExternalWorkflowHandle, isCancellation } from '@temporalio/workflow';

/** A workflow that can be told something. */
export type Addressee = Pick<ReturnType<typeof getExternalWorkflowHandle>, 'signal'>;

/** True when the one who was to be told has ended, or when we are being cancelled ourselves: then nobody needs to hear it. */
function needsNothing(error: unknown): boolean {
  return isCancellation(error) || (error instanceof ApplicationFailure && /not found/i.test(error.message));
}

/** Signals a workflow of the cohort; false when it has ended between our looking and our sending. */
export async function tell(addressee: Addressee, send: (handle: Addressee) => Promise<void>): Promise<boolean> {
  try {
    await send(addressee);
    return true;
  } catch (error) {
    if (!needsNothing(error)) throw error;
    return false;
  }
}

/**
 * Signals to other workflows in the order they were given: two that are on their way to the same workflow may overtake each
 * other, and the later one must not arrive first. For those that are not our own children: see `ChildLine` for these.
 */
export class Courier {
  private readonly last = new Map<string, Promise<boolean>>();

  /** Sends when what was sent to this workflow before has arrived. */
  send(workflowId: string, send: (handle: Addressee) => Promise<void>): void {
    const before = this.last.get(workflowId) ?? Promise.resolve(true);
    const next = before.then(() => tell(getExternalWorkflowHandle(workflowId), send));
    // Whoever asks whether all was delivered hears of a failure.
    next.catch(() => undefined);
    this.last.set(workflowId, next);
  }

  /** Resolves when everything has left, also what was given meanwhile. */
  async delivered(): Promise<void> {
    const given = [...this.last.values()];
    // All of them, also when one fails.
    await Promise.allSettled(given);
    const more = [...this.last.values()].some((one) => !given.includes(one));
    if (more) await this.delivered();
    else await Promise.all(given);
  }
}
