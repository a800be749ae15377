import { setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { CohortProgress, FanOutProgress } from '../contracts/progress.js';
import type { Modality } from '../contracts/workflow-ids.js';
import { progressQuery } from './messages.js';

/** Live state of a cohort workflow: the answer of its progress query and the text the Temporal UI shows. */
export class CohortState {
  phase: CohortProgress['phase'] = 'preparing';
  children: readonly Modality[] = [];
  private fanOut: (() => FanOutProgress) | undefined;
  private since = workflowInfo().startTime.toISOString();
  private readonly startedAt = workflowInfo().startTime.toISOString();

  constructor() {
    setHandler(progressQuery, () => this.progress());
    this.describe();
  }

  enter(phase: CohortProgress['phase']): void {
    this.phase = phase;
    this.since = new Date().toISOString();
    this.describe();
  }

  /** Takes over where the fan-out of this workflow stands. */
  show(fanOut: () => FanOutProgress): void {
    this.fanOut = fanOut;
    this.describe();
  }

  /** The text of the Temporal UI; it is served by a query and costs no event. */
  private describe(): void {
    const lines = [`**${this.phase}** since ${this.since}`];
    if (this.fanOut !== undefined) {
      const { total, done, reused, failed, cancelled, running, lastFailures } = this.fanOut();
      lines.push('', '| total | done | reused | failed | cancelled | running |', '|---|---|---|---|---|---|');
      lines.push(`| ${[total, done, reused, failed, cancelled, running].join(' | ')} |`);
      if (lastFailures.length > 0) lines.push('', 'Last failures:', ...lastFailures.map((line) => `- ${line}`));
    }
    setCurrentDetails(lines.join('\n'));
  }

  private progress(): CohortProgress {
    const { phase, startedAt, children, fanOut } = this;
    return { phase, startedAt, children, ...(fanOut === undefined ? {} : { fanOut: fanOut() }) };
  }
}
