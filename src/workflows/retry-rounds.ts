import { setHandler } from '@temporalio/workflow';
import { checkRetryRequest, type RetryAnswer, type RetryRequest, type RetryRound } from '../contracts/control.js';
import { cohort } from './activities.js';
import type { FanOut } from './children.js';
import { orFail } from './failures.js';
import { retryFailedUpdate, retryRoundSignal } from './messages.js';

/** Failed units that are to be run again, round by round: chosen here when an operator asks, or by the parent. */
export class RetryRounds {
  /** Units of all rounds that have begun, without the one this run was started for. */
  retried = 0;
  private readonly waiting: RetryRound[] = [];
  private last: number;
  private choosing = 0;

  /**
   * @param only what this run was started for, when that is a retry
   * @param onRound called before a round is taken up
   */
  constructor(
    private readonly fanOut: FanOut,
    private readonly only: RetryRound | undefined,
    private readonly onRound: () => void,
  ) {
    this.last = only?.round ?? 0;
    if (only !== undefined) this.waiting.push(only);
  }

  /**
   * Makes the workflow answer `retryFailed`, and heed its parent.
   *
   * @param refuse throws when nothing may be chosen now
   */
  heed(refuse: () => void): void {
    setHandler(retryRoundSignal, (round) => this.take(round));
    setHandler(retryFailedUpdate, (request: RetryRequest | undefined) => this.choose(request ?? {}), {
      validator: (request) =>
        orFail(() => {
          checkRetryRequest(request);
          refuse();
        }),
    });
  }

  /** True while a round waits to be begun. */
  get due(): boolean {
    return this.waiting.length > 0;
  }

  /** True when no round waits and none is being chosen. */
  get settled(): boolean {
    return !this.due && this.choosing === 0;
  }

  /** The rounds that wait: they begin now. */
  begin(): readonly RetryRound[] {
    const rounds = this.waiting.splice(0);
    for (const round of rounds) this.retried += this.only === round ? 0 : round.total;
    return rounds;
  }

  private take(round: RetryRound): void {
    this.onRound();
    this.waiting.push(round);
  }

  private async choose(choice: RetryRequest): Promise<RetryAnswer> {
    const { output, runId, modality } = this.fanOut;
    this.last += 1;
    const round = this.last;
    this.choosing += 1;
    try {
      const { total } = await cohort.selectFailed({ output, runId, modality, round, choice });
      if (total > 0) this.take({ round, total });
      return { [modality]: total };
    } finally {
      this.choosing -= 1;
    }
  }
}
