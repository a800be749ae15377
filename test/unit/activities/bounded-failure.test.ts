import { describe, expect, it } from 'vitest';
import { boundedCause, boundedFailure } from '../../../src/activities/bounded-failure.js';
import { CohortflowError } from '../../../src/domain/errors.js';

describe('failures that every server takes', () => {
  it('are as they were thrown when they are of the usual size', () => {
    const error = new CohortflowError('SegNotFound', 'no segmentation', { found: 2 });
    expect(boundedFailure(error)).toEqual({
      code: 'SegNotFound',
      message: 'no segmentation',
      details: { found: 2 },
    });
    const bug = new TypeError('x is undefined');
    expect(boundedFailure(bug)).toEqual({ code: 'InternalError', message: 'x is undefined', details: {} });
    expect(boundedCause(bug)).toBe(bug);
    expect(boundedFailure('a text')).toMatchObject({ code: 'InternalError', message: 'a text' });
    expect(boundedCause('a text')).toBeUndefined();
  });

  it('keep their code, the head of a long message, and no details that are too many or no JSON', () => {
    const long = boundedFailure(new CohortflowError('SegNotFound', 'a'.repeat(25_000)));
    expect(long).toMatchObject({ code: 'SegNotFound', details: {} });
    expect(long.message).toBe(`${'a'.repeat(20_000)}… (5000 more characters)`);
    for (const details of [{ text: 'x'.repeat(300_000) }, { voxels: 10n }]) {
      expect(boundedFailure(new CohortflowError('SegNotFound', 'none', details)).details).toEqual({
        detailsLeftOut: true,
      });
    }
  });

  it('take no cause along that is large or has one of its own', () => {
    expect(boundedCause(new Error('a'.repeat(50_000)))).toBeUndefined();
    expect(boundedCause(new Error('outer', { cause: new Error('inner') }))).toBeUndefined();
  });
});
