import { workflowInfo } from '@temporalio/workflow';
import type { PartReport } from '../contracts/control.js';
import { endedUnits, type UnitCounts } from '../contracts/outcome.js';
import { Courier } from './courier.js';
import { reportSignal } from './messages.js';

/** A part tells its parent each time so much of it has been dealt with. */
const REPORTED_SHARE = 0.05;

/** What the fan-out of one modality tells the workflow that started it; one that nobody started tells nothing. */
export class PartReports {
  private readonly courier = new Courier();
  private reported = 0;
  private toldHolds = false;

  constructor(private readonly parent: string | undefined) {}

  /** Tells how far this is, when at least so much more of it has been dealt with. */
  progress(counts: UnitCounts, lastFailures: readonly string[], atLeast = REPORTED_SHARE): void {
    const share = endedUnits(counts) / Math.max(1, counts.total);
    if (share < this.reported + atLeast || share === this.reported) return;
    this.reported = share;
    this.send({ counts, ...(lastFailures.length === 0 ? {} : { lastFailures }) });
  }

  /** Tells whether units are held, when that has changed. */
  holds(holds: boolean): void {
    if (holds === this.toldHolds) return;
    this.toldHolds = holds;
    this.send({ holds });
  }

  /** Resolves when all of it has left. */
  told(): Promise<void> {
    return this.courier.delivered();
  }

  private send(report: Omit<PartReport, 'from'>): void {
    const { parent } = this;
    if (parent === undefined) return;
    const from = workflowInfo().workflowId;
    this.courier.send(parent, (handle) => handle.signal(reportSignal, { from, ...report }));
  }
}
