/** Long work of the domain is written as a generator that yields where it may pause; who runs it decides what a pause is. */
export type Pausing<T> = Generator<undefined, T>;

/** Does the work in one go. */
export function withoutPauses<T>(work: Pausing<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** Does the work and pauses where it may. */
export async function withPauses<T>(work: Pausing<T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    await pause();
  }
}
