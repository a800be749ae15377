import { setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { CohortProgress, FanOutProgress } from '../contracts/progress.js';
import type { Modality } from '../contracts/workflow-ids.js';
import { progressQuery } from './messages.js';

/** Live state of a cohort workflow: the answer of its progress query and the text the Temporal UI shows. */
export class CohortState {
  phase: CohortProgress['phase'] = 'preparing';
  children: readonly Modality[] = [];
  fanOut: (() => FanOutProgress) | undefined;
  private readonly startedAt = workflowInfo().startTime.toISOString();

  constructor() {
    setHandler(progressQuery, () => this.progress());
    setCurrentDetails('preparing');
  }

  enter(phase: CohortProgress['phase']): void {
    this.phase = phase;
    setCurrentDetails(`**${phase}** since ${new Date().toISOString()}`);
  }

  private progress(): CohortProgress {
    const { phase, startedAt, children, fanOut } = this;
    return { phase, startedAt, children, ...(fanOut === undefined ? {} : { fanOut: fanOut() }) };
  }
}
