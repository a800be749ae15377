/** What a process that is told to end does, the more often it is told the more abruptly. */
export interface StoppingActions {
  /** First: no new work; what runs gets its grace. Called once, by a signal or by {@link Stopping.begin}. */
  readonly begin: () => void;
  /** Second: what runs is given back now. */
  readonly giveBack: () => void;
  /** Third: the process ends as it is. */
  readonly leave: () => void;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Turns signals into the stages of ending. */
export class Stopping {
  private told = 0;
  private readonly onSignal = (): void => this.next();

  constructor(private readonly actions: StoppingActions) {
    for (const signal of SIGNALS) process.on(signal, this.onSignal);
  }

  /** Ends in order, as after the first signal; nothing when that was said already. */
  begin(): void {
    if (this.told === 0) this.next();
  }

  /** Signals are the system's again. */
  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.onSignal);
  }

  private next(): void {
    this.told += 1;
    const { begin, giveBack, leave } = this.actions;
    if (this.told === 1) begin();
    else if (this.told === 2) giveBack();
    else leave();
  }
}
