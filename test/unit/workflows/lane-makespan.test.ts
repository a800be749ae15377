import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/domain/seeded-random.js';
import { LANE_RUN_LIMIT, laneCount } from '../../../src/workflows/lanes.js';
import { Runner, shareOut } from '../../../src/workflows/width-shares.js';
import { idealMakespan } from '../../support/makespan.js';

/** A lane as it runs: its units, in runs that drain before the next one begins. */
class Lane {
  readonly runner: Runner;
  /** When what is in flight ends. */
  readonly inFlight: number[] = [];
  width = 0;
  private at = 0;
  private handedOut = 0;

  constructor(private readonly times: readonly number[]) {
    this.runner = new Runner(times.length);
    this.runner.steer = ({ width }) => (this.width = width);
  }

  get ended(): boolean {
    return this.at === this.times.length && this.inFlight.length === 0;
  }

  /** Starts what it may at that moment. */
  fill(now: number): void {
    if (this.handedOut === LANE_RUN_LIMIT && this.inFlight.length === 0) this.handedOut = 0;
    while (this.at < this.times.length && this.handedOut < LANE_RUN_LIMIT && this.inFlight.length < this.width) {
      this.inFlight.push(now + this.times[this.at]!);
      this.at += 1;
      this.handedOut += 1;
    }
  }
}

/** The end of the last unit when lanes share the width, which is divided anew whenever one of them has ended. */
function makespanInLanes(times: readonly number[], width: number): number {
  const count = laneCount(times.length, width);
  const lanes = Array.from({ length: count }, (_, lane) => new Lane(times.filter((_time, at) => at % count === lane)));
  let open = lanes;
  let now = 0;
  const divide = (): void => {
    const runners = open.map(({ runner }) => runner);
    shareOut(runners, { paused: false, width, startRate: 0 }, width);
    for (const lane of open) lane.fill(now);
  };
  divide();
  while (open.length > 0) {
    const next = open.reduce((first, lane) =>
      Math.min(...lane.inFlight) < Math.min(...first.inFlight) ? lane : first,
    );
    now = Math.min(...next.inFlight);
    next.inFlight.splice(next.inFlight.indexOf(now), 1);
    next.fill(now);
    if (!next.ended) continue;
    open = open.filter((lane) => lane !== next);
    divide();
  }
  return now;
}

describe('lanes whose widths are divided anew as they end', () => {
  it.each([
    [4_001, 50, 0.5],
    [4_001, 50, 1],
    [10_000, 50, 0.5],
    [10_000, 50, 1],
    [10_000, 10, 1],
    [1_000, 1, 1],
  ])('run %i units at %i (log-normal, sigma %f) within 5 %% of a single pool', (units, width, sigma) => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const random = seededRandom(seed);
      const times = Array.from({ length: units }, () => 5 * Math.exp(sigma * random.normal() - sigma ** 2 / 2));
      const ratio = makespanInLanes(times, width) / idealMakespan(times, width);
      expect(ratio).toBeGreaterThan(0.95);
      expect(ratio).toBeLessThanOrEqual(1.05);
    }
  });
});
