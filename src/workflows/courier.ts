import { getExternalWorkflowHandle } from '@temporalio/workflow';

type ExternalHandle = ReturnType<typeof getExternalWorkflowHandle>;

/** Signals another workflow of the cohort; false when it has ended meanwhile and needs to hear nothing more. */
export async function tell(workflowId: string, send: (handle: ExternalHandle) => Promise<void>): Promise<boolean> {
  try {
    await send(getExternalWorkflowHandle(workflowId));
    return true;
  } catch {
    // Not found: it ended between our looking and our sending.
    return false;
  }
}

/**
 * Signals to other workflows in the order they were given: two that are on their way to the same workflow may overtake each
 * other, and a pause must not arrive after the resume that followed it.
 */
export class Courier {
  private readonly last = new Map<string, Promise<boolean>>();

  /** Sends when what was sent to this workflow before has arrived. */
  send(workflowId: string, send: (handle: ExternalHandle) => Promise<void>): Promise<boolean> {
    const before = this.last.get(workflowId) ?? Promise.resolve(true);
    const next = before.then(() => tell(workflowId, send));
    this.last.set(workflowId, next);
    return next;
  }

  /** Resolves when everything has left. */
  async delivered(): Promise<void> {
    await Promise.all(this.last.values());
  }
}
