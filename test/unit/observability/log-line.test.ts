import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { CohortflowError } from '../../../src/domain/errors.js';
import { jsonLine, textLine } from '../../../src/observability/log-line.js';

const time = new Date('2026-03-01T10:20:30.456Z');

function line(meta: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(jsonLine({ time, level: 'WARN', message: 'step failed', meta })) as Record<string, unknown>;
}

describe('a line of the log', () => {
  it('is one JSON object with time, level, message and the ids of what it is about', () => {
    expect(
      line({
        run: 'cohort-1',
        case: 'R01-001',
        step: 'imaging.convert',
        attempt: 2,
        code: 'SegNotFound',
        seconds: 1.5,
      }),
    ).toEqual({
      ...{ time: '2026-03-01T10:20:30.456Z', level: 'WARN', message: 'step failed' },
      ...{ run: 'cohort-1', case: 'R01-001', step: 'imaging.convert', attempt: 2, code: 'SegNotFound', seconds: 1.5 },
    });
  });

  it('shows nothing it does not know: no payload, no header, no failure of the SDK passes', () => {
    const meta = {
      args: ['Doe^Jane'],
      headers: { a: 'Doe^Jane' },
      failure: { message: 'Doe^Jane' },
      input: 'Doe^Jane',
    };
    expect(JSON.stringify(line(meta))).not.toContain('Doe');
    expect(Object.keys(line(meta))).toEqual(['time', 'level', 'message']);
  });

  it('shows of a coded error its code alone, however deep it is', () => {
    const failure = ApplicationFailure.create({ type: 'DamagedReads', message: 'reads of Doe^Jane' });
    const wrapped = new Error('activity failed on Doe^Jane', { cause: failure });
    expect(line({ error: wrapped })).toMatchObject({ code: 'DamagedReads' });
    expect(line({ error: new CohortflowError('DiskFull', '/data/Doe^Jane') })).toMatchObject({ code: 'DiskFull' });
    expect(JSON.stringify([line({ error: wrapped }), line({ error: failure })])).not.toContain('Doe');
  });

  it('shows the first line of an error of the SDK itself, shortened', () => {
    const error = new TypeError(`no such function\n    at Doe^Jane`);
    expect(line({ error }).error).toBe('TypeError: no such function');
    expect(String(line({ error: 'x'.repeat(9000) }).error).length).toBeLessThan(600);
  });

  it('shows no text of the failure of a workflow, which has lost its code', () => {
    const text = jsonLine({ time, level: 'WARN', message: 'Workflow failed', meta: { error: new Error('Doe^Jane') } });
    expect(text).not.toContain('Doe');
  });

  it('is text at a terminal, with the same attributes', () => {
    const text = textLine({ time, level: 'INFO', message: 'step done', meta: { step: 'a.b', args: 'Doe^Jane' } });
    expect(text).toBe('10:20:30.456 INFO  step done step=a.b');
  });
});
