import { condition, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { unitsHaveEnded, type BreakerTrip, type SteeringState } from '../contracts/control.js';
import { addCounts, endedUnits, NO_UNITS, type UnitCounts } from '../contracts/outcome.js';
import type { CohortProgress, FanOutProgress } from '../contracts/progress.js';
import type { Modality } from '../contracts/workflow-ids.js';
import type { EarlyControl } from './early-control.js';
import { orFail } from './failures.js';
import { progressQuery, resumeUpdate } from './messages.js';
import { FAILURES_KEPT } from './slice-state.js';

function minutes(milliseconds: number): string {
  const whole = Math.max(1, Math.round(milliseconds / 60_000));
  return whole < 60 ? `${whole} min` : `${Math.floor(whole / 60)} h ${whole % 60} min`;
}

/** Live state of a cohort workflow: the answer of its progress query and the text the Temporal UI shows. */
export class CohortState {
  phase: CohortProgress['phase'] = 'preparing';
  children: readonly Modality[] = [];
  /** What a root was told while it was being prepared. */
  early: EarlyControl | undefined;
  /** Why the end of a run waits for someone. */
  private breaker: BreakerTrip | undefined;
  private lastFailures: readonly string[] = [];
  private parts: Partial<Record<Modality, UnitCounts>> = {};
  private fanOut: (() => FanOutProgress) | undefined;
  private since = workflowInfo().startTime.toISOString();
  private readonly startedAt = workflowInfo().startTime.toISOString();
  private runningSince = Date.now();

  constructor() {
    setHandler(progressQuery, () => this.progress());
    this.describe();
  }

  enter(phase: CohortProgress['phase']): void {
    this.phase = phase;
    this.since = new Date().toISOString();
    if (phase === 'running') this.runningSince = Date.now();
    this.describe();
  }

  /** Takes over where the fan-out of this workflow stands. */
  show(fanOut: () => FanOutProgress): void {
    this.fanOut = fanOut;
    this.describe();
  }

  /** The tables of the run cannot be written because of the environment; resolves when someone said to go on. */
  async mended(trip: BreakerTrip): Promise<void> {
    this.breaker = trip;
    this.describe();
    const resumed = (): SteeringState => {
      this.goOn();
      return { paused: false, width: 0, startRate: 0 };
    };
    setHandler(resumeUpdate, resumed, {
      validator: () =>
        orFail(() => {
          if (this.breaker === undefined) throw unitsHaveEnded();
        }),
    });
    await condition(() => this.breaker === undefined);
  }

  /** Someone said to go on: what cannot be written is tried again. */
  goOn(): void {
    this.breaker = undefined;
    this.describe();
  }

  /** What a modality last told of itself. */
  told(modality: Modality): UnitCounts | undefined {
    return this.parts[modality];
  }

  /** Takes over what a modality told of itself. */
  showPart(modality: Modality, counts: UnitCounts, lastFailures: readonly string[] = []): void {
    const named = lastFailures.map((line) => `${modality} ${line}`);
    this.lastFailures = [...new Set([...this.lastFailures, ...named])].slice(-FAILURES_KEPT);
    this.parts = { ...this.parts, [modality]: counts };
    this.describe();
  }

  /** The text of the Temporal UI; it is served by a query and costs no event. */
  private describe(): void {
    const lines = [`**${this.phase}** since ${this.since}`];
    const now = this.fanOut?.();
    const rows = now === undefined ? Object.entries(this.parts) : [['units', now] as const];
    if (rows.length > 0) {
      lines.push('', '| | total | done | reused | failed | cancelled |', '|---|---|---|---|---|---|');
      for (const [name, { total, done, reused, failed, cancelled }] of rows) {
        lines.push(`| ${[name, total, done, reused, failed, cancelled].join(' | ')} |`);
      }
      lines.push('', this.pace(rows.map(([, counts]) => counts).reduce(addCounts, NO_UNITS)));
    }
    if (now !== undefined) lines.push(...steeringLines(now));
    lines.push(...failureLines(now?.lastFailures ?? this.lastFailures));
    if (this.breaker !== undefined) lines.push('', breakerLine(this.breaker));
    setCurrentDetails(lines.join('\n'));
  }

  /** How fast units end and when the last will have, at the pace so far. */
  private pace(counts: UnitCounts): string {
    const ended = endedUnits(counts) - counts.reused;
    const elapsed = Date.now() - this.runningSince;
    if (ended === 0 || elapsed === 0) return 'No unit has ended yet.';
    const left = counts.total - endedUnits(counts);
    const rate = `${((ended / elapsed) * 3_600_000).toPrecision(3)} an hour`;
    return left === 0 ? `${rate}, none left.` : `${rate}, about ${minutes((left * elapsed) / ended)} left.`;
  }

  private progress(): CohortProgress {
    const { phase, startedAt, children, parts, fanOut, breaker, lastFailures } = this;
    return {
      ...{ phase, startedAt, children, parts },
      ...(fanOut === undefined ? {} : { fanOut: fanOut() }),
      ...(breaker === undefined ? {} : { breaker }),
      ...(lastFailures.length === 0 ? {} : { lastFailures }),
    };
  }
}

function breakerLine({ code, failures }: BreakerTrip): string {
  const what = failures === 1 ? 'what it tried' : `${failures} units in a row`;
  return `**Paused by the circuit breaker**: ${what} failed with ${code}.`;
}

function failureLines(last: readonly string[]): string[] {
  return last.length === 0 ? [] : ['', 'Last failures:', ...last.map((line) => `- ${line}`)];
}

function steeringLines({ running, width, paused, breaker, pool, lanes, note }: FanOutProgress): string[] {
  const lines = [
    '',
    lanes.length > 0 ? `${lanes.length} lanes, ${width} at once` : `${running} running, ${width} at once`,
  ];
  if (note !== undefined) lines.push(`Note: ${note}.`);
  if (pool !== undefined) lines.push(`Holds ${pool.slots} slots of the pool ${pool.name}.`);
  if (breaker !== undefined) {
    lines.push('', breakerLine(breaker));
  } else if (paused) lines.push('', '**Paused**');
  return lines;
}
