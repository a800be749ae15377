import { getExternalWorkflowHandle, setHandler } from '@temporalio/workflow';
import { checkWidth, type SteeringChange, type SteeringState } from '../contracts/control.js';
import { orFail } from './failures.js';
import { pauseUpdate, resumeUpdate, setConcurrencyUpdate, steerSignal } from './messages.js';

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

/** Makes a workflow that runs units answer `pause`, `resume` and `setConcurrency`, and heed its parent. */
export function heedControl(steering: Steering): void {
  setHandler(pauseUpdate, () => steering.change({ paused: true }));
  setHandler(resumeUpdate, () => steering.change({ paused: false }));
  setHandler(setConcurrencyUpdate, (width) => steering.change({ width: width as number }), {
    validator: (width) => orFail(() => checkWidth(width)),
  });
  heedParent(steering);
}

/** Makes a workflow heed the changes that its parent passes on. */
export function heedParent(steering: Steering): void {
  setHandler(steerSignal, (change) => {
    steering.change(change);
  });
}

/** Passes a change on to a child. One that has just ended needs no steering any more. */
export async function steerChild(workflowId: string, change: SteeringChange): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(steerSignal, change);
  } catch {
    // Not found: it ended between our looking and our sending.
  }
}
