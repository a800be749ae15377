import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../../src/cli/output.js';

describe('the exit code of a command that threw', () => {
  it.each([
    ['UnknownTargetValue', 2],
    ['ClinicalValueNotNumeric', 2],
    ['NoClinicalRows', 2],
    ['InvalidSheet', 2],
    ['SegNotFound', 1],
    ['InternalError', 1],
    ['Cancelled', 130],
  ] as const)('%s: %i', (code, expected) => {
    expect(exitCodeOf({ code, message: '', details: {} })).toBe(expected);
  });
});
