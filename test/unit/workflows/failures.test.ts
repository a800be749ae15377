import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  RetryState,
  TerminatedFailure,
  TimeoutFailure,
  TimeoutType,
} from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { CohortflowError } from '../../../src/domain/errors.js';
import { isReportable, orFail, stepFailure } from '../../../src/workflows/failures.js';

const activity = (
  cause: Error,
  state: RetryState = RetryState.NON_RETRYABLE_FAILURE,
  name = 'runStep',
): ActivityFailure => new ActivityFailure('activity failed', name, '1', state, 'worker', cause);
const child = (cause: Error): ChildWorkflowFailure =>
  new ChildWorkflowFailure('default', { workflowId: 'c/S-1' }, 'imagingStudy', RetryState.NON_RETRYABLE_FAILURE, cause);
const silent = (): TimeoutFailure => new TimeoutFailure('activity timed out', undefined, TimeoutType.HEARTBEAT);

describe('a failed activity or child, read back into the catalogue', () => {
  it('keeps the code, the message and the facts of the attempt', () => {
    const details = [{ attempt: 3, started: '2026-01-01T00:00:00.000Z', seconds: 7, slice: 4 }];
    const cause = ApplicationFailure.create({ type: 'MissingSlice', message: 'slice 4 of 9 is missing', details });
    expect(stepFailure(activity(cause))).toEqual({
      code: 'MissingSlice',
      message: 'slice 4 of 9 is missing',
      attempts: 3,
      started: '2026-01-01T00:00:00.000Z',
      seconds: 7,
    });
  });

  it.each([
    ['runStep', 20],
    ['awaitWork', 20],
    ['submitWork', 9],
    ['adoptWork', 9],
    ['compactOutcomes', 5],
    ["somebody else's", 1],
  ])('is StepTimeout after signs of life stayed out, with the attempts that were made of %s', (name, attempts) => {
    const failure = activity(silent(), RetryState.MAXIMUM_ATTEMPTS_REACHED, name);
    expect(stepFailure(failure)).toMatchObject({ code: 'StepTimeout', attempts });
  });

  it.each([
    ['Terminated', child(new TerminatedFailure('terminated'))],
    ['Terminated', child(silent())],
    ['Cancelled', child(new CancelledFailure('cancelled'))],
    ['InternalError', activity(ApplicationFailure.create({ type: 'TypeError', message: 'x is not a function' }))],
    ['InternalError', activity(ApplicationFailure.create({ message: 'no type' }))],
    ['SegNotFound', child(ApplicationFailure.create({ type: 'SegNotFound', message: 'none' }))],
  ] as const)('is %s for what ended so', (code, error) => {
    expect(stepFailure(error).code).toBe(code);
    expect(isReportable(error)).toBe(true);
  });

  it('does not report a fault of the workflow’s own code as a failed case', () => {
    expect(isReportable(new TypeError('undefined'))).toBe(false);
  });
});

describe('a coded error at the start of a workflow', () => {
  it('ends the workflow for good; any other is left to the SDK', () => {
    const start = (error: Error) => () =>
      orFail(() => {
        throw error;
      });
    const bug = new TypeError('bug');
    expect(start(new CohortflowError('InvalidInput', 'output is missing'))).toThrow(ApplicationFailure);
    expect(start(new CohortflowError('InvalidInput', 'output is missing'))).toThrow('output is missing');
    expect(start(bug)).toThrow(bug);
  });
});
