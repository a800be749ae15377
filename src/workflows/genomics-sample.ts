import { checkInput } from '../contracts/input-check.js';
import { GENOMICS_SAMPLE_RULES, checkUnit, type GenomicsSampleInput } from '../contracts/inputs.js';
import type { UnitResult } from '../contracts/outcome.js';
import { genomicsPlace, genomicsPlan } from '../contracts/unit-plans.js';
import { orFail } from './failures.js';
import { runUnit } from './unit-steps.js';

/** One sample: reads to gene expression. Returns how it ended; fails only by cancellation. */
export async function genomicsSample(raw: unknown): Promise<UnitResult> {
  const input = orFail(() => {
    const checked = checkInput<GenomicsSampleInput>('genomicsSample', GENOMICS_SAMPLE_RULES, raw);
    checkUnit('genomicsSample', 'genomics', checked.unit);
    return checked;
  });
  return runUnit(input, genomicsPlace(input), (step) => genomicsPlan(input, step));
}
