import { describe, expect, it } from 'vitest';
import { boxFailure, parseBoxEnd } from '../../../../../src/domain/genomics/dragen/index.js';
import { BOX_STEPS, NO_PROGRAM, NO_ROOM } from '../../../../../src/domain/genomics/dragen/box-end.js';

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
    expect(boxFailure({ step, exit: NO_PROGRAM })).toMatchObject({
      code: 'DragenFailed',
      message: expect.stringContaining('lacks a program') as string,
    });
  });
});
