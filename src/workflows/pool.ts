import { condition, CancellationScope } from '@temporalio/workflow';

/** A pool whose width may change while it runs. */
export interface PoolOptions<Item> {
  /** The next thing to do, or undefined when there is nothing more. Called one at a time. */
  readonly next: () => Promise<Item | undefined>;
  /** Does one thing; must not reject except by cancellation. */
  readonly run: (item: Item) => Promise<void>;
  /** Most things at once, asked before each start; 0 pauses. */
  readonly width: () => number;
}

/**
 * Keeps `width` things in flight until `next` has no more, then waits for the rest (a greedy pool: a slot is refilled the
 * moment it is free). On cancellation nothing more is started, what is in flight is awaited, and the cancellation is
 * thrown.
 */
export async function runPool<Item>(options: PoolOptions<Item>): Promise<void> {
  let running = 0;
  let failure: unknown;
  const start = (item: Item): void => {
    running += 1;
    options
      .run(item)
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => {
        running -= 1;
      });
  };
  try {
    for (;;) {
      await condition(() => failure !== undefined || running < options.width());
      if (failure !== undefined) break;
      const item = await options.next();
      if (item === undefined) break;
      // Asking took its time: meanwhile the pool may have been paused or narrowed.
      await condition(() => failure !== undefined || running < options.width());
      if (failure !== undefined) break;
      start(item);
    }
  } catch (error) {
    failure ??= error;
  }
  // Waits even when this scope is cancelled: children that are being cancelled still clean up.
  await CancellationScope.nonCancellable(() => condition(() => running === 0));
  if (failure !== undefined) throw failure as Error;
}

/**
 * Like `Promise.all`, but waits until everything has ended before the first failure is thrown: what is being cancelled
 * still writes its outcome.
 */
export async function allEnded<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const ends = await Promise.allSettled(work);
  return ends.map((end) => {
    if (end.status === 'rejected') throw end.reason as Error;
    return end.value;
  });
}
