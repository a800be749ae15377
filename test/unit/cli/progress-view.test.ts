import { describe, expect, it } from 'vitest';
import type { RunProgress } from '../../../src/app/run-progress.js';
import { ProgressView, clock, progressLines } from '../../../src/cli/progress-view.js';

const START = Date.parse('2026-01-01T00:00:00Z');
const progress = (done: number): RunProgress => ({
  phase: 'running',
  startedAt: '2026-01-01T00:00:00Z',
  modalities: {
    imaging: {
      total: 10,
      done,
      reused: 1,
      failed: 1,
      cancelled: 0,
      running: 2,
      width: 50,
      paused: false,
      startRate: 0,
      retried: 0,
      lanes: [],
      lastFailures: [],
      modality: 'imaging',
      workflowId: 'cohort/imaging',
      asOf: '2026-01-01T00:00:50Z',
    },
  },
});

function written(live: boolean, show: (view: ProgressView) => void): string {
  let text = '';
  const stream = { write: (chunk: string) => ((text += chunk), true) } as unknown as NodeJS.WriteStream;
  show(new ProgressView(stream, live));
  return text;
}

describe('progress', () => {
  it('tells what is done and the time left at the pace so far', () => {
    expect(progressLines(progress(3), START + 50_000)).toEqual([
      'imaging   3 done, 1 reused, 1 failed, 2 running of 10, 0:50 left',
      'running   0:50',
    ]);
  });

  it('formats hours only when there are any', () => {
    expect([clock(5), clock(65), clock(3661)]).toEqual(['0:05', '1:05', '1:01:01']);
  });

  it('prints plain lines without a terminal, and none while nothing but the clock moved', () => {
    const text = written(false, (view) => {
      view.show(progress(3), START + 10_000);
      view.show(progress(3), START + 20_000);
      view.show(progress(4), START + 30_000);
    });
    expect(text.split('\n').filter((line) => line.startsWith('imaging'))).toHaveLength(2);
    expect(text).not.toContain('\u001b');
  });

  it('redraws in place on a terminal', () => {
    const text = written(true, (view) => {
      view.show(progress(3), START + 10_000);
      view.show(progress(4), START + 11_000);
      view.clear();
    });
    expect(text.split('\u001b[2A\u001b[J')).toHaveLength(3);
  });
});
