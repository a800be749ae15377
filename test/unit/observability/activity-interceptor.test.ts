import { MockActivityEnvironment } from '@temporalio/testing';
import { ApplicationFailure, type LogMetadata, type Logger } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import type { StepRequest } from '../../../src/contracts/activities.js';
import { activityInterceptor } from '../../../src/observability/activity-interceptor.js';
import type { Metrics } from '../../../src/observability/metrics.js';
import { isNoise } from '../../../src/observability/noise.js';

const broken = (what: string) => (): never => {
  throw new Error(`${what} is broken`);
};
const METRICS: Metrics = {
  stepStarted: () => undefined,
  stepEnded: () => undefined,
  unitsReused: () => undefined,
  processEnded: () => undefined,
};
const BROKEN_METRICS: Metrics = {
  ...METRICS,
  stepStarted: broken('the meter'),
  stepEnded: broken('the meter'),
  unitsReused: broken('the meter'),
};

const REQUEST: StepRequest = {
  ...{ output: '/out', runId: 'r', step: 'imaging.convert', params: {}, inputs: {}, force: false },
  unit: { caseId: 'A', modality: 'imaging', part: '' },
  place: { kind: 'output', folder: 'imaging/A' },
};
const REPORT = { outcome: 'done' };
const SDK_LINE = 'Activity failed';

/** A worker's log as its reader sees it. */
function shownLog(refuses: (message: string) => boolean = () => false) {
  const lines: string[] = [];
  const write =
    (level: string) =>
    (message: string, meta?: LogMetadata): void => {
      if (refuses(message)) throw new Error('the log is broken');
      if (level !== 'DEBUG' && !isNoise({ message, meta })) lines.push(`${level} ${message}`);
    };
  const logger: Logger = {
    ...{ log: () => undefined, trace: () => undefined, debug: write('DEBUG') },
    ...{ info: write('INFO'), warn: write('WARN'), error: write('ERROR') },
  };
  return { logger, lines };
}

/** Activities of one worker: all of them seen through the same interceptor. */
function worker(metrics: Metrics, logger: Logger) {
  const interceptor = activityInterceptor(metrics);
  return <T>(activityType: string, work: () => Promise<T>, request: unknown = REQUEST): Promise<T> =>
    new MockActivityEnvironment({ activityType }, { logger, interceptors: [interceptor] }).run(work, request);
}

const done = async (): Promise<unknown> => REPORT;
const failing = async (): Promise<never> => {
  throw ApplicationFailure.nonRetryable('no segmentation', 'SegNotFound');
};

describe('a step that is observed', () => {
  it('has one line of its end; the one of the SDK says nothing new', async () => {
    const { logger, lines } = shownLog();
    const run = worker(METRICS, logger);
    await run('runStep', done);
    await expect(run('runStep', failing)).rejects.toMatchObject({ type: 'SegNotFound' });
    expect(lines).toEqual(['INFO step done', 'WARN step failed']);
  });

  it('ends as it would have unseen when it cannot be measured, which is said once and not for every step', async () => {
    const { logger, lines } = shownLog();
    const run = worker(BROKEN_METRICS, logger);
    expect(await run('runStep', done)).toBe(REPORT);
    expect(await run('runStep', done)).toBe(REPORT);
    await expect(run('runStep', failing)).rejects.toMatchObject({ type: 'SegNotFound' });
    const page = { units: [], reused: 2 };
    expect(await run('nextUnits', async () => page, { modality: 'imaging' })).toBe(page);
    const said = 'WARN observing failed (metrics): steps go on, but not all of them are seen';
    expect(lines).toEqual([said, 'INFO step done', 'INFO step done', 'WARN step failed']);
  });

  it('shows the line of the SDK where its own could not be written', async () => {
    const { logger, lines } = shownLog((message) => message.startsWith('step '));
    const run = worker(METRICS, logger);
    expect(await run('runStep', done)).toBe(REPORT);
    await expect(run('runStep', failing)).rejects.toMatchObject({ type: 'SegNotFound' });
    const said = 'WARN observing failed (log): steps go on, but not all of them are seen';
    expect(lines).toEqual([said, `WARN ${SDK_LINE}`]);
  });

  it('shows the line of the SDK where nobody knows which step it was', async () => {
    const { logger, lines } = shownLog();
    const run = worker(METRICS, logger);
    expect(await run('runStep', done, null)).toBe(REPORT);
    await expect(run('runStep', failing, null)).rejects.toMatchObject({ type: 'SegNotFound' });
    expect(lines).toEqual([expect.stringContaining('(labels)'), `WARN ${SDK_LINE}`]);
  });

  it('shows the line of the SDK of a step that was done when what came after it failed', async () => {
    const { logger, lines } = shownLog();
    const outer: ActivityInterceptorsFactory = () => ({
      inbound: {
        execute: async (input, next) => {
          await next(input);
          throw new Error('somebody else');
        },
      },
    });
    const interceptors = [outer, activityInterceptor(METRICS)];
    const env = new MockActivityEnvironment({ activityType: 'runStep' }, { logger, interceptors });
    await expect(env.run(done as (request: unknown) => Promise<unknown>, REQUEST)).rejects.toThrow('somebody else');
    expect(lines).toEqual(['INFO step done', `WARN ${SDK_LINE}`]);
  });
});
