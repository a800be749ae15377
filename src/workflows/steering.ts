import { setHandler } from '@temporalio/workflow';
import { checkStartRate, checkWidth, type SteeringChange, type SteeringState } from '../contracts/control.js';
import { orFail } from './failures.js';
import { pauseUpdate, resumeUpdate, setConcurrencyUpdate, setStartRateUpdate, steerSignal } from './messages.js';

/** How wide a fan-out may run, changed while it runs by updates and by its parent. */
export class Steering {
  /** Called after every change. */
  onChange: () => void = () => undefined;

  constructor(private state: SteeringState) {}

  get current(): SteeringState {
    return this.state;
  }

  /** Units that may be in flight now. */
  get allowed(): number {
    return this.state.paused ? 0 : this.state.width;
  }

  change(change: SteeringChange): SteeringState {
    this.state = { ...this.state, ...change };
    this.onChange();
    return this.state;
  }
}

/** Makes a workflow that runs units answer `pause`, `resume`, `setConcurrency` and `setStartRate`, and heed its parent. */
export function heedControl(steering: Steering): void {
  setHandler(pauseUpdate, () => steering.change({ paused: true }));
  setHandler(resumeUpdate, () => steering.change({ paused: false }));
  setHandler(setConcurrencyUpdate, (width) => steering.change({ width: width as number }), {
    validator: (width) => orFail(() => checkWidth(width)),
  });
  setHandler(setStartRateUpdate, (startRate) => steering.change({ startRate }), {
    validator: (rate) => orFail(() => checkStartRate(rate)),
  });
  heedParent(steering);
}

/** Makes a workflow heed the changes that its parent passes on. */
export function heedParent(steering: Steering): void {
  setHandler(steerSignal, (change) => {
    steering.change(change);
  });
}
