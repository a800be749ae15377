import { setHandler } from '@temporalio/workflow';
import { widthNote, withinLimit, type WidthLimit } from '../contracts/fan-out-choice.js';
import type { FanOutModality } from '../contracts/workflow-ids.js';
import {
  checkStartRate,
  checkWidthRequest,
  widthFor,
  type SteeringChange,
  type SteeringState,
} from '../contracts/control.js';
import { orFail } from './failures.js';
import { pauseUpdate, resumeUpdate, setConcurrencyUpdate, setStartRateUpdate, steerSignal } from './messages.js';

/** How wide a fan-out may run, changed while it runs by updates and by its parent. */
export class Steering {
  /** Called after every change. */
  onChange: () => void = () => undefined;

  private asked: number;
  private state: SteeringState;

  /** @param limit what the executor can hold: no change makes it wider */
  constructor(
    state: SteeringState,
    private readonly limit?: WidthLimit,
  ) {
    this.asked = state.width;
    this.state = { ...state, width: withinLimit(state.width, limit) };
  }

  /** What an operator is told of the width; undefined when it is as it was asked for. */
  get note(): string | undefined {
    return widthNote(this.asked, this.limit);
  }

  get current(): SteeringState {
    return this.state;
  }

  /** Units that may be in flight now. */
  get allowed(): number {
    return this.state.paused ? 0 : this.state.width;
  }

  change(change: SteeringChange): SteeringState {
    this.asked = change.width ?? this.asked;
    this.state = { ...this.state, ...change, width: withinLimit(this.asked, this.limit) };
    this.onChange();
    return this.state;
  }
}

/**
 * Makes a workflow that runs units answer `pause`, `resume`, `setConcurrency` and `setStartRate`, and heed its parent.
 *
 * @param refuse throws when it is too late for any of them
 */
export function heedControl(steering: Steering, modality: FanOutModality, refuse: () => void): void {
  const change = (made: SteeringChange): SteeringState => steering.change(made);
  const validator = (): void => orFail(refuse);
  setHandler(pauseUpdate, () => change({ paused: true }), { validator });
  setHandler(resumeUpdate, () => change({ paused: false }), { validator });
  setHandler(
    setConcurrencyUpdate,
    (request) => {
      const width = widthFor(request, modality);
      return change(width === undefined ? {} : { width });
    },
    {
      validator: (request) =>
        orFail(() => {
          checkWidthRequest(request);
          refuse();
        }),
    },
  );
  setHandler(setStartRateUpdate, (startRate) => change({ startRate }), {
    validator: (rate) =>
      orFail(() => {
        checkStartRate(rate);
        refuse();
      }),
  });
  heedParent(steering);
}

/** Makes a workflow heed the changes that its parent passes on. */
export function heedParent(steering: Steering): void {
  setHandler(steerSignal, (change) => {
    steering.change(change);
  });
}
