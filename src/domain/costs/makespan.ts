/** A heap of times at which places become free, smallest first. */
class FreeTimes {
  private readonly times: number[];

  constructor(places: number) {
    this.times = new Array<number>(places).fill(0);
  }

  /** Takes the place that is free first for so long; returns when it is free again. */
  take(seconds: number): number {
    const { times } = this;
    const end = (times[0] ?? 0) + seconds;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= times.length) break;
      const right = left + 1;
      const child = right < times.length && (times[right] ?? 0) < (times[left] ?? 0) ? right : left;
      if ((times[child] ?? 0) >= end) break;
      times[at] = times[child] ?? 0;
      at = child;
    }
    times[at] = end;
    return end;
  }
}

/**
 * When the last of some pieces of work ends, each being given in order to whichever of `places` is free first: what the
 * pool of a cohort does.
 *
 * @param durations in any unit
 * @returns in the same unit; 0 for no work
 */
export function makespan(durations: Iterable<number>, places: number): number {
  const free = new FreeTimes(Math.max(1, Math.floor(places)));
  let last = 0;
  for (const duration of durations) last = Math.max(last, free.take(duration));
  return last;
}
