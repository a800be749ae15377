import { workflowInfo } from '@temporalio/workflow';
import { unitKey, type GenomicsUnit } from '../domain/cohort/manifest.js';
import { checkInput } from '../contracts/input-check.js';
import { GENOMICS_SAMPLE_RULES, checkUnit, type GenomicsSampleInput } from '../contracts/inputs.js';
import type { UnitResult } from '../contracts/outcome.js';
import type { JsonObject } from '../steps/step.js';
import { orFail } from './failures.js';
import { StepNotStarted, runUnit } from './unit-steps.js';

/** The files of a sample by role, as the quantify step names them. */
function readsOf(source: GenomicsUnit['source']): Record<string, readonly string[]> {
  switch (source.kind) {
    case 'fastq':
      return {
        fastq1: source.lanes.map((lane) => lane.fastq1),
        fastq2: source.lanes.flatMap((lane) => (lane.fastq2 === undefined ? [] : [lane.fastq2])),
      };
    case 'sra':
      return { sra: source.runs };
    case 'quant':
      return { quant: [source.path] };
  }
}

/** One sample: reads to gene expression. Returns how it ended; fails only by cancellation. */
export async function genomicsSample(raw: unknown): Promise<UnitResult> {
  const input = orFail(() => {
    const checked = checkInput<GenomicsSampleInput>('genomicsSample', GENOMICS_SAMPLE_RULES, raw);
    checkUnit('genomicsSample', 'genomics', checked.unit);
    return checked;
  });
  const { unit, output, runId = workflowInfo().runId, force = false, index, annotation, threads } = input;
  const context = {
    unit: { caseId: unit.caseId, part: unit.sampleId ?? '', modality: 'genomics' },
    output,
    runId,
    force,
    folder: `genomics/${unitKey(unit)}`,
  } as const;
  const { source } = unit;
  return runUnit(context, async (step) => {
    if (input.referenceFailure !== undefined && source.kind !== 'quant')
      throw new StepNotStarted('genomics.reference', input.referenceFailure);
    const params: JsonObject = {
      ...(source.kind === 'quant' ? {} : { strandedness: source.strandedness }),
      ...(threads === undefined ? {} : { threads }),
    };
    const inputs = {
      ...readsOf(source),
      ...(index === undefined || source.kind === 'quant' ? {} : { index: [index] }),
      ...(annotation === undefined ? {} : { annotation: [annotation] }),
    };
    await step('genomics.quantify', params, inputs);
  });
}
