import type { SteeringChange } from '../contracts/control.js';
import { tell, type Addressee } from './courier.js';
import { steerSignal } from './messages.js';

/**
 * What one child is told, in the order it was given: kept until it has started, and sent to this child alone. A run that was
 * terminated leaves its children to clean up; the next run waits for their ids, and what it says meanwhile is not for them.
 */
export class ChildLine {
  private begin: () => void = () => undefined;
  private child: Addressee | undefined;
  private last: Promise<unknown>;
  /** The last thing to be told, when it is a change that further ones can be added to. */
  private waiting: { due: SteeringChange; sent: Promise<void> } | undefined;

  /** @param due what it is to be told as soon as it has started */
  constructor(due?: SteeringChange) {
    this.last = new Promise<void>((resolve) => (this.begin = resolve));
    if (due !== undefined) void this.steer(due);
  }

  get hasStarted(): boolean {
    return this.child !== undefined;
  }

  /** The child runs: it hears what it missed. */
  started(child: Addressee): void {
    this.child = child;
    this.begin();
  }

  /** Passes a change on; of several that have to wait only what they come to. Resolves when it has arrived. */
  steer(change: SteeringChange): Promise<void> {
    if (this.waiting !== undefined) {
      this.waiting.due = { ...this.waiting.due, ...change };
      return this.waiting.sent;
    }
    const waiting = { due: change, sent: Promise.resolve() };
    this.waiting = waiting;
    waiting.sent = this.next(async (child) => {
      if (this.waiting === waiting) this.waiting = undefined;
      const { due } = waiting;
      await tell(child, (handle) => handle.signal(steerSignal, due));
    });
    return waiting.sent;
  }

  /** Tells it something else; false when it does not run (yet, or any more). */
  async tell(send: (handle: Addressee) => Promise<void>): Promise<boolean> {
    if (this.child === undefined) return false;
    // A change that comes after this must not be told before it.
    this.waiting = undefined;
    return this.next((child) => tell(child, send));
  }

  private next<T>(work: (child: Addressee) => Promise<T>): Promise<T> {
    const next = this.last.then(() => {
      if (this.child === undefined) throw new Error('a child was told something before it had started');
      return work(this.child);
    });
    this.last = next.catch(() => undefined);
    return next;
  }
}
