import { checkInput } from '../contracts/input-check.js';
import { GENOMICS_SAMPLE_RULES, checkUnit, type GenomicsSampleInput } from '../contracts/inputs.js';
import type { UnitResult } from '../contracts/outcome.js';
import { genomicsPlace, genomicsPlan, quantifiedByDragen, type PlannedStep } from '../contracts/unit-plans.js';
import { orFail } from './failures.js';
import { runUnit, type UnitWork } from './unit-steps.js';

/** Quantifies on a DRAGEN machine; the step itself then only takes up what was quantified there. */
function byDragen(input: GenomicsSampleInput, { step, remotely }: UnitWork): PlannedStep {
  return async (name, params, inputs) => {
    const { annotation = [] } = inputs;
    await remotely(name, { executor: 'dragen', input }, (_request, _ticket, { results, facts }) =>
      step(name, params, inputs, {
        instead: { ...results, annotation },
        ...(facts === undefined ? {} : { machine: facts }),
      }),
    );
    return { folder: '', outputs: [] };
  };
}

/** One sample: reads to gene expression. Returns how it ended; fails only by cancellation. */
export async function genomicsSample(raw: unknown): Promise<UnitResult> {
  const input = orFail(() => {
    const checked = checkInput<GenomicsSampleInput>('genomicsSample', GENOMICS_SAMPLE_RULES, raw);
    checkUnit('genomicsSample', 'genomics', checked.unit);
    return checked;
  });
  return runUnit(input, genomicsPlace(input), (work) =>
    genomicsPlan(input, quantifiedByDragen(input) ? byDragen(input, work) : work.step),
  );
}
