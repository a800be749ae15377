import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it, vi } from 'vitest';
import type { StepRequest } from '../../../src/contracts/activities.js';
import { failing, lasting, perCase } from '../../../src/testing/index.js';

function request(step: string, caseId?: string): StepRequest {
  return {
    ...{ output: '/out', runId: 'r', step, params: {}, inputs: {}, force: false },
    place: { kind: 'output', folder: '' },
    ...(caseId === undefined ? {} : { unit: { caseId, part: '', modality: 'imaging' as const } }),
  };
}

const convert = request('imaging.convert', 'A');
const measure = request('imaging.radiomics', 'A');

describe('behaviours of mocked steps', () => {
  it('failing: the first step of a unit, every attempt, with the code', () => {
    const behave = failing('SegNotFound');
    expect(() => behave(convert, 1)).toThrow(expect.objectContaining({ code: 'SegNotFound', retryable: false }));
    expect(() => behave(convert, 4)).toThrow();
    expect(() => behave(request('genomics.quantify', 'A'), 1)).toThrow();
    expect(() => behave(measure, 1)).not.toThrow();
  });

  it('failing: another step, and only its first attempts, where that is asked', () => {
    const behave = failing('ProcessLost', { step: 'imaging.radiomics', attempts: 2 });
    expect(() => behave(convert, 1)).not.toThrow();
    expect(() => behave(measure, 2)).toThrow(expect.objectContaining({ code: 'ProcessLost', retryable: true }));
    expect(() => behave(measure, 3)).not.toThrow();
  });

  it('lasting: the first attempt is put off by the time, the second succeeds', () => {
    const behave = lasting(5000);
    expect(() => behave(convert, 1)).toThrow(ApplicationFailure);
    expect(() => behave(convert, 1)).toThrow(expect.objectContaining({ nextRetryDelay: 5000, nonRetryable: false }));
    expect(() => behave(convert, 2)).not.toThrow();
    expect(() => behave(measure, 1)).not.toThrow();
    expect(() => lasting(0)(convert, 1)).not.toThrow();
  });

  it('perCase: a behaviour for some cases, another for the others and for steps of the whole cohort', () => {
    const a = vi.fn();
    const others = vi.fn();
    const behave = perCase({ A: a }, others);
    void behave(convert, 1);
    void behave(request('imaging.convert', 'toString'), 2);
    void behave(request('report.render'), 3);
    expect(a.mock.calls).toEqual([[convert, 1]]);
    expect(others.mock.calls.map(([, attempt]: unknown[]) => attempt)).toEqual([2, 3]);
  });
});
