import { setHandler } from '@temporalio/workflow';
import {
  checkStartRate,
  checkWidthRequest,
  stillPreparing,
  widthFor,
  type RetryRequest,
  type SteeringChange,
  type SteeringState,
} from '../contracts/control.js';
import { fanOutChoice, type FanOutFields } from '../contracts/fan-out-choice.js';
import type { FanOutModality } from '../contracts/workflow-ids.js';
import { orFail } from './failures.js';
import {
  pauseUpdate,
  reportUpdate,
  resumeUpdate,
  retryFailedUpdate,
  setConcurrencyUpdate,
  setStartRateUpdate,
} from './messages.js';

/**
 * Answers the updates while a run is being prepared, which takes minutes for a large sheet: what it is told holds from its
 * first unit on. Whoever runs the units takes the updates over.
 */
export class EarlyControl {
  /** What each modality was told. */
  readonly changes: Partial<Record<FanOutModality, SteeringChange>> = {};

  constructor(
    private readonly modalities: readonly FanOutModality[],
    private readonly input: FanOutFields,
  ) {
    setHandler(pauseUpdate, () => this.steer(() => ({ paused: true })));
    setHandler(resumeUpdate, () => this.steer(() => ({ paused: false })));
    setHandler(
      setConcurrencyUpdate,
      (request) =>
        this.steer((modality) => {
          const width = widthFor(request, modality);
          return width === undefined ? {} : { width };
        }),
      { validator: (request) => orFail(() => checkWidthRequest(request)) },
    );
    setHandler(setStartRateUpdate, (startRate) => this.steer(() => ({ startRate })), {
      validator: (rate) => orFail(() => checkStartRate(rate)),
    });
    const refuse = (): never =>
      orFail(() => {
        throw stillPreparing();
      });
    setHandler(retryFailedUpdate, (_request: RetryRequest) => refuse(), {
      validator: (_request: RetryRequest) => refuse(),
    });
    setHandler(reportUpdate, refuse, { validator: refuse });
  }

  /** How it stands; undefined when nothing was said. */
  get told(): SteeringState | undefined {
    return Object.keys(this.changes).length === 0 ? undefined : this.state;
  }

  private steer(changeOf: (modality: FanOutModality) => SteeringChange): SteeringState {
    for (const modality of this.modalities) {
      this.changes[modality] = { ...this.changes[modality], ...changeOf(modality) };
    }
    return this.state;
  }

  private get state(): SteeringState {
    const states = this.modalities.map((modality) => {
      const { concurrency, startRate } = fanOutChoice(this.input, modality);
      return { paused: false, width: concurrency, startRate, ...this.changes[modality] };
    });
    return {
      paused: states.some(({ paused }) => paused),
      width: Math.max(0, ...states.map(({ width }) => width)),
      startRate: Math.max(0, ...states.map(({ startRate }) => startRate)),
    };
  }
}
