import { workflowInfo } from '@temporalio/workflow';
import { unitKey } from '../domain/cohort/manifest.js';
import { checkInput } from '../contracts/input-check.js';
import { IMAGING_STUDY_RULES, checkUnit, type ImagingStudyInput } from '../contracts/inputs.js';
import type { UnitResult } from '../contracts/outcome.js';
import type { JsonObject } from '../steps/step.js';
import { orFail } from './failures.js';
import { runUnit } from './unit-steps.js';

function definedOnly(values: Readonly<Record<string, string | number | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as JsonObject;
}

/** One study: convert, measure, draw. Returns how it ended; fails only by cancellation. */
export async function imagingStudy(raw: unknown): Promise<UnitResult> {
  const input = orFail(() => {
    const checked = checkInput<ImagingStudyInput>('imagingStudy', IMAGING_STUDY_RULES, raw);
    checkUnit('imagingStudy', 'imaging', checked.unit);
    return checked;
  });
  const { unit, output, runId = workflowInfo().runId, force = false, choice = {} } = input;
  const key = unitKey(unit);
  const context = {
    unit: { caseId: unit.caseId, part: unit.studyId ?? '', modality: 'imaging' },
    output,
    runId,
    force,
    folder: `imaging/${key}`,
  } as const;
  const { source } = unit;
  return runUnit(context, async (step) => {
    const original: Record<string, readonly string[]> =
      source.kind === 'dicom' ? { study: [source.folder] } : { image: [source.image], mask: [source.mask] };
    const label = source.kind === 'nifti' ? source.label : undefined;
    const { roi, series, featureSet } = choice;
    const converted = await step('imaging.convert', definedOnly({ roi, series, label }), original);

    const at = (path: string): string => `${converted.folder}/${path}`;
    const volumes = { image: [at('ct.nii.gz')], mask: [at('seg.nii.gz')] };
    const segments = converted.outputs.filter((path) => path.startsWith('segments/')).map(at);
    const measure: JsonObject = {
      set: featureSet ?? 'default',
      ...(input.settings === undefined ? {} : { settings: input.settings }),
    };
    await step('imaging.radiomics', measure, { ...volumes, conversion: [at('conversion.json')], segments });
    await step('imaging.overlay', { title: key }, volumes);
  });
}
