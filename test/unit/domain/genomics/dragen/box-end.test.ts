import { describe, expect, it } from 'vitest';
import { failureKind } from '../../../../../src/domain/failures/index.js';
import { boxFailure, parseBoxEnd } from '../../../../../src/domain/genomics/dragen/index.js';
import {
  BOX_STEPS,
  DENIED,
  EMPTY_READS,
  MIXED_LANES,
  NO_PROGRAM,
  NO_ROOM,
  NOT_THERE,
} from '../../../../../src/domain/genomics/dragen/box-end.js';

const END = {
  ok: true,
  step: 'results',
  exit: 0,
  seconds: 93,
  results: [{ name: 'R01-001.quant.sf', sha256: 'a'.repeat(64) }],
};

describe('parseBoxEnd', () => {
  it('reads what a machine wrote', () => {
    expect(parseBoxEnd(`${JSON.stringify(END)}\n`)).toEqual(END);
    const failed = { ok: false, step: 'dragen', exit: 1, seconds: 5, results: [] };
    expect(parseBoxEnd(JSON.stringify(failed))).toEqual(failed);
    expect(parseBoxEnd(JSON.stringify({ ...failed, what: 'a_1.fastq.gz' }))).toEqual({
      ...failed,
      what: 'a_1.fastq.gz',
    });
    for (const what of ['', 'a b', '<b>', 7, null]) {
      expect(parseBoxEnd(JSON.stringify({ ...failed, what }))).toEqual(failed);
    }
  });

  it.each([
    ['nothing', ''],
    ['half a document', JSON.stringify(END).slice(0, 60)],
    ['another document', '{}'],
    ['no document', 'null'],
    ['a page of HTML', '<html>503</html>'],
    ['a step that no machine has', JSON.stringify({ ...END, step: 'lunch' })],
    ['no word whether it went well', JSON.stringify({ ...END, ok: 'true' })],
    ['an exit code that is none', JSON.stringify({ ...END, exit: 'one' })],
    ['no exit code', JSON.stringify({ ...END, exit: undefined })],
    ['a time that is none', JSON.stringify({ ...END, seconds: null })],
    ['results that are no list', JSON.stringify({ ...END, results: {} })],
    ['results without a name', JSON.stringify({ ...END, results: [{ sha256: 'a'.repeat(64) }] })],
    ['results without a checksum', JSON.stringify({ ...END, results: [{ name: 'a.quant.sf' }] })],
    ['results that are null', JSON.stringify({ ...END, results: [null] })],
    ['results elsewhere', JSON.stringify({ ...END, results: [{ name: '../a.sf', sha256: 'a'.repeat(64) }] })],
  ])('takes %s for no end', (_what, text) => {
    expect(parseBoxEnd(text)).toBeUndefined();
  });
});

describe('boxFailure', () => {
  it.each([
    ['space', 1, 'DragenFailed'],
    ['tools', 1, 'AwsUnavailable'],
    ['licence', 1, 'DragenFailed'],
    ['reference', 1, 'AwsUnavailable'],
    ['table', 1, 'DragenFailed'],
    ['reads', 1, 'AwsUnavailable'],
    ['unpack', 3, 'DamagedArchive'],
    ['dragen', 1, 'DragenFailed'],
    ['results', 1, 'AwsUnavailable'],
  ] as const)('of the step %s, exit %i, is %s', (step, exit, code) => {
    expect(boxFailure({ step, exit })).toMatchObject({ code });
    expect(boxFailure({ step, exit }).message).toContain(`(exit ${exit})`);
  });

  it.each(BOX_STEPS)('tells what was killed, lacks room or lacks a program, wherever it was: %s', (step) => {
    expect(boxFailure({ step, exit: 137 }).code).toBe('JobKilled');
    expect(boxFailure({ step, exit: NO_ROOM }).code).toBe('MachineTooSmall');
    expect(boxFailure({ step, exit: NO_PROGRAM, what: 'fastq-dump' })).toEqual({
      code: 'DragenFailed',
      message: 'the machine image lacks a program that the work needs: fastq-dump',
    });
  });

  it.each([
    [NOT_THERE, 'FileNotFound'],
    [DENIED, 'AwsDenied'],
    [MIXED_LANES, 'UnpairedReads'],
    [EMPTY_READS, 'EmptyReads'],
  ] as const)('of the exit code %i is %s, which is not tried again', (exit, code) => {
    const found = boxFailure({ step: 'reads', exit, what: 'SRR1' });
    expect(found.code).toBe(code);
    expect(failureKind(found.code).retryable).toBe(false);
    if (code === 'FileNotFound' || code === 'AwsDenied') expect(found.message).toContain('SRR1: ');
  });
});
