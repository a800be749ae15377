import type { MetricMeter, MetricTags } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/observability/metrics.js';

/** A meter that remembers the last value of each series. */
function rememberingMeter() {
  const values = new Map<string, number>();
  const series = (name: string, tags: MetricTags = {}): string =>
    `${name}{${Object.entries(tags)
      .map(([tag, value]) => `${tag}=${String(value)}`)
      .join(',')}}`;
  const set = (name: string) => (value: number, tags?: MetricTags) => {
    // As the SDK's gauges do: an activity that ended would fail by it.
    if (value < 0) throw new Error(`${name}: ${value}`);
    values.set(series(name, tags), value);
  };
  const add = (name: string) => (value: number, tags?: MetricTags) =>
    void values.set(series(name, tags), (values.get(series(name, tags)) ?? 0) + value);
  const meter = {
    createCounter: (name: string) => ({ add: add(name) }),
    createHistogram: (name: string) => ({ record: add(name) }),
    createGauge: (name: string) => ({ set: set(name) }),
  } as unknown as MetricMeter;
  return { meter, value: (name: string) => values.get(name), names: () => [...values.keys()] };
}

describe('our own metrics', () => {
  it('count steps by outcome and code, and their seconds', () => {
    const { meter, value } = rememberingMeter();
    const metrics = createMetrics(meter);
    for (const code of ['', '', 'DiskFull']) {
      metrics.stepStarted('imaging.convert', 'imaging', 'a');
      const outcome = code === '' ? 'done' : 'retried';
      metrics.stepEnded('imaging.convert', 'imaging', 'a', { outcome, code, seconds: 2 });
    }
    const labels = (outcome: string, code: string): string =>
      `cohortflow_steps_ended{step=imaging.convert,modality=imaging,outcome=${outcome},code=${code}}`;
    expect([value(labels('done', '')), value(labels('retried', 'DiskFull'))]).toEqual([2, 1]);
    expect(value('cohortflow_step_seconds{step=imaging.convert,outcome=done}')).toBe(4);
  });

  it('show a case with several steps at once as one case in flight, until the last of them has ended', () => {
    const { meter, value } = rememberingMeter();
    const metrics = createMetrics(meter);
    const cases = (): number | undefined => value('cohortflow_cases_in_flight{modality=imaging}');
    const end = (step: string, unit: string): void =>
      metrics.stepEnded(step, 'imaging', unit, { outcome: 'done', code: '', seconds: 1 });
    metrics.stepStarted('imaging.radiomics', 'imaging', 'one');
    metrics.stepStarted('imaging.overlay', 'imaging', 'one');
    metrics.stepStarted('imaging.overlay', 'imaging', 'two');
    expect([cases(), value('cohortflow_steps_in_flight{step=imaging.overlay}')]).toEqual([2, 2]);
    end('imaging.overlay', 'one');
    expect(cases()).toBe(2);
    end('imaging.radiomics', 'one');
    end('imaging.overlay', 'two');
    expect([cases(), value('cohortflow_steps_in_flight{step=imaging.overlay}')]).toEqual([0, 0]);
  });

  it('show a case in each of its modalities, in whatever order they begin and end', () => {
    const { meter, value } = rememberingMeter();
    const metrics = createMetrics(meter);
    const ending = { outcome: 'done', code: '', seconds: 1 } as const;
    const cases = (modality: string): number | undefined => value(`cohortflow_cases_in_flight{modality=${modality}}`);
    metrics.stepStarted('genomics.quantify', 'genomics', 'one');
    metrics.stepStarted('imaging.convert', 'imaging', 'one');
    expect([cases('genomics'), cases('imaging')]).toEqual([1, 1]);
    metrics.stepEnded('genomics.quantify', 'genomics', 'one', ending);
    expect([cases('genomics'), cases('imaging')]).toEqual([0, 1]);
    metrics.stepEnded('imaging.convert', 'imaging', 'one', ending);
    expect([cases('genomics'), cases('imaging')]).toEqual([0, 0]);
  });

  it('never name the unit they count', () => {
    const { meter, names } = rememberingMeter();
    const metrics = createMetrics(meter);
    metrics.stepStarted('imaging.convert', 'imaging', 'R01-001');
    metrics.stepEnded('imaging.convert', 'imaging', 'R01-001', { outcome: 'failed', code: 'SegNotFound', seconds: 1 });
    metrics.unitsReused('imaging', 5);
    metrics.processEnded('memory');
    expect(names().join()).not.toContain('R01');
    expect(names()).toContain('cohortflow_process_ends{reason=memory}');
  });
});
