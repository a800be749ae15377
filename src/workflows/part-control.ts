import { condition, setHandler, workflowInfo } from '@temporalio/workflow';
import {
  checkRetryRequest,
  unitsAreHeld,
  unitsHaveEnded,
  checkStartRate,
  checkWidthRequest,
  widthFor,
  type RetryAnswer,
  type RetryRequest,
  type RetryRound,
  type SteeringChange,
  type SteeringState,
} from '../contracts/control.js';
import { fanOutChoice, withinLimit } from '../contracts/fan-out-choice.js';
import { widthLimit, type MultimodalInput, type PreparedRun } from '../contracts/inputs.js';
import type { UnitCounts } from '../contracts/outcome.js';
import { modalityWorkflowId, type FanOutModality, type Modality } from '../contracts/workflow-ids.js';
import { cohort } from './activities.js';
import type { CohortState } from './cohort-state.js';
import { ChildLine } from './child-line.js';
import type { Addressee } from './courier.js';
import { orFail } from './failures.js';
import {
  pauseUpdate,
  reportSignal,
  resumeUpdate,
  retryFailedUpdate,
  retryRoundSignal,
  setConcurrencyUpdate,
  setStartRateUpdate,
} from './messages.js';

/**
 * What a whole cohort is told is passed on to the modalities that run units; what they tell is shown. Failed units are
 * chosen here, so that the update can say how many, and run by their modality: by its workflow while it is open, by another
 * one of the same id after that.
 */
export class PartControl {
  private readonly names: readonly FanOutModality[];
  private readonly open = new Map<Modality, ChildLine>();
  /** All that a modality was told so far: one that runs again is told it too. */
  private readonly said: Partial<Record<Modality, SteeringChange>> = {};
  private readonly rounds: Partial<Record<FanOutModality, RetryRound[]>> = {};
  private state: SteeringState;
  private lastRound = 1;
  private choosing = 0;
  private readonly holding = new Set<FanOutModality>();
  private closed = false;

  constructor(
    input: MultimodalInput,
    private readonly prepared: PreparedRun,
    private readonly shown: CohortState,
  ) {
    this.names = (['imaging', 'genomics'] as const).filter((name) => prepared[name] > 0);
    const choices = this.names.map((name) => fanOutChoice(input, name));
    this.state = shown.early?.told ?? {
      paused: false,
      width: Math.max(0, ...this.names.map((name, at) => this.held(name, choices[at]?.concurrency ?? 0))),
      startRate: Math.max(0, ...choices.map(({ startRate }) => startRate)),
    };
    setHandler(reportSignal, ({ from, counts, holds, lastFailures }) => {
      const name = this.names.find((one) => from === this.idOf(one));
      // One of the same id that an earlier run left behind speaks of that run.
      if (name === undefined || this.open.get(name)?.hasStarted !== true) return;
      if (holds === true) this.holding.add(name);
      else if (holds === false) this.holding.delete(name);
      if (counts !== undefined) shown.showPart(name, counts, lastFailures);
    });
    this.heed(input.output);
  }

  /** Runs a modality's workflow; meanwhile it is told how it is to run and what is to be retried, once it has started. */
  async whileOpen<R>(name: Modality, run: (onStarted: (child: Addressee) => void) => Promise<R>): Promise<R> {
    const line = new ChildLine(this.said[name]);
    this.open.set(name, line);
    try {
      return await run((child) => line.started(child));
    } finally {
      this.open.delete(name);
      if (name !== 'clinical') this.holding.delete(name);
    }
  }

  /**
   * The next units to be run again of a modality that has ended; waits for someone to ask while another modality is still
   * open. Undefined when all have ended.
   */
  async nextRound(name: FanOutModality): Promise<RetryRound | undefined> {
    const waiting = (): boolean => (this.rounds[name]?.length ?? 0) > 0;
    await condition(() => waiting() || (this.open.size === 0 && this.choosing === 0));
    return this.rounds[name]?.shift();
  }

  /** What a modality last told of how far it is. */
  told(name: FanOutModality): UnitCounts | undefined {
    return this.shown.told(name);
  }

  /** From now on nothing more is run again. */
  close(): void {
    this.closed = true;
  }

  /** A width as the modality's executor can hold it. */
  private held(name: FanOutModality, width: number): number {
    return withinLimit(width, widthLimit(this.prepared, name));
  }

  private idOf(name: FanOutModality): string {
    return modalityWorkflowId(workflowInfo().workflowId, name);
  }

  private heed(output: string): void {
    const open = (): void => {
      if (this.closed) throw unitsHaveEnded();
    };
    const validator = (): void => orFail(open);
    setHandler(pauseUpdate, () => this.steer(() => ({ paused: true })), { validator });
    setHandler(resumeUpdate, () => this.resume(), { validator });
    setHandler(
      setConcurrencyUpdate,
      (request) =>
        this.steer((name) => {
          const width = widthFor(request, name);
          return width === undefined ? {} : { width };
        }),
      {
        validator: (request) =>
          orFail(() => {
            checkWidthRequest(request);
            open();
          }),
      },
    );
    setHandler(setStartRateUpdate, (startRate) => this.steer(() => ({ startRate })), {
      validator: (rate) =>
        orFail(() => {
          checkStartRate(rate);
          open();
        }),
    });
    setHandler(retryFailedUpdate, (request: RetryRequest | undefined) => this.retry(output, request ?? {}), {
      validator: (request) =>
        orFail(() => {
          checkRetryRequest(request);
          open();
          if (this.holding.size > 0) throw unitsAreHeld();
        }),
    });
  }

  private async resume(): Promise<SteeringState> {
    // It runs no units, but may wait for someone as they do.
    const clinical = this.open.get('clinical');
    const told = clinical?.hasStarted === true ? clinical.steer({ paused: false }) : undefined;
    const state = await this.steer(() => ({ paused: false }));
    await told;
    return state;
  }

  private async steer(changeOf: (name: FanOutModality) => SteeringChange): Promise<SteeringState> {
    const changes = this.names.map((name) => [name, changeOf(name)] as const);
    const widths = changes.flatMap(([name, { width }]) => (width === undefined ? [] : [this.held(name, width)]));
    this.state = {
      ...Object.assign({}, this.state, ...changes.map(([, change]) => change)),
      ...(widths.length === 0 ? {} : { width: Math.max(...widths) }),
    } as SteeringState;
    await Promise.all(
      changes.map(async ([name, change]) => {
        this.said[name] = { ...this.said[name], ...change };
        const line = this.open.get(name);
        const told = line?.steer(change);
        // One that has still to start hears it then: whoever asked does not wait for that.
        if (line?.hasStarted === true) await told;
      }),
    );
    return this.state;
  }

  private async retry(output: string, choice: RetryRequest): Promise<RetryAnswer> {
    const { runId } = this.prepared;
    this.lastRound += 1;
    const round = this.lastRound;
    this.choosing += 1;
    try {
      const answer = await Promise.all(
        this.names.map(async (modality) => {
          const { total } = await cohort.selectFailed({ output, runId, modality, round, choice });
          if (total > 0) await this.take(modality, { round, total });
          return [modality, total] as const;
        }),
      );
      return Object.fromEntries(answer);
    } finally {
      this.choosing -= 1;
    }
  }

  private async take(name: FanOutModality, round: RetryRound): Promise<void> {
    const told = await this.open.get(name)?.tell((handle) => handle.signal(retryRoundSignal, round));
    if (told !== true) (this.rounds[name] ??= []).push(round);
  }
}
