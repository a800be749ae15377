import type { MetricMeter } from '@temporalio/common';

/** How a step's attempt ended, as metrics and logs name it. */
export type StepEnding = 'done' | 'reused' | 'failed' | 'retried' | 'cancelled';

/** Why a child process was ended, or ended by itself. */
export type ProcessEnd = 'memory' | 'silence' | 'abort' | 'lost';

/** Everything cohortflow measures of itself. Labels are kinds, never ids: a case must not become a time series. */
export interface Metrics {
  stepStarted(step: string, modality: string, unit: string | undefined): void;
  stepEnded(step: string, modality: string, unit: string | undefined, ending: Ending): void;
  /** Units found finished without starting a workflow for them. */
  unitsReused(modality: string, count: number): void;
  processEnded(reason: ProcessEnd): void;
}

export interface Ending {
  readonly outcome: StepEnding;
  /** Failure code; empty for what went well. */
  readonly code: string;
  readonly seconds: number;
}

/** From a look at a finished table to a whole genome. */
export const STEP_SECONDS_BUCKETS: readonly number[] = [
  ...[0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 10_800, 43_200],
];
export const STEP_SECONDS = 'cohortflow_step_seconds';

/** A gauge by label, from counts that go up and down. */
class InFlight {
  private readonly counts = new Map<string, number>();

  constructor(private readonly show: (label: string, count: number) => void) {}

  add(label: string, change: 1 | -1): number {
    const count = (this.counts.get(label) ?? 0) + change;
    if (count === 0) this.counts.delete(label);
    else this.counts.set(label, count);
    this.show(label, count);
    return count;
  }
}

/** {@link Metrics} on the SDK's meter, so that they are in the same endpoint as its own. */
export function createMetrics(meter: MetricMeter): Metrics {
  const ended = meter.createCounter('cohortflow_steps_ended', '', 'attempts of steps that ended, by how');
  const seconds = meter.createHistogram(STEP_SECONDS, 'float', '', 'seconds from the start of an attempt to its end');
  const steps = meter.createGauge('cohortflow_steps_in_flight', 'int', '', 'steps that this worker is running');
  const cases = meter.createGauge('cohortflow_cases_in_flight', 'int', '', 'cases that this worker is working on');
  const reused = meter.createCounter('cohortflow_units_reused', '', 'units found finished without starting them');
  const processes = meter.createCounter(
    'cohortflow_process_ends',
    '',
    'child processes ended before their step, by why',
  );

  const stepsNow = new InFlight((step, count) => steps.set(count, { step }));
  const casesNow = new InFlight((modality, count) => cases.set(count, { modality }));
  const unitsNow = new InFlight(() => undefined);
  const move = (step: string, modality: string, unit: string | undefined, change: 1 | -1): void => {
    stepsNow.add(step, change);
    if (unit === undefined) return;
    // A case is in flight in each of its modalities by itself.
    const running = unitsNow.add(`${modality}\n${unit}`, change);
    // Several steps of one case are one case in flight.
    if (running === (change === 1 ? 1 : 0)) casesNow.add(modality, change);
  };

  return {
    stepStarted: (step, modality, unit) => move(step, modality, unit, 1),
    stepEnded: (step, modality, unit, { outcome, code, seconds: took }) => {
      move(step, modality, unit, -1);
      ended.add(1, { step, modality, outcome, code });
      seconds.record(took, { step, outcome });
    },
    unitsReused: (modality, count) => {
      if (count > 0) reused.add(count, { modality });
    },
    processEnded: (reason) => processes.add(1, { reason }),
  };
}
