import type { StepReport, StepRequest } from '../contracts/activities.js';
import type { OutcomeRecord } from '../contracts/outcome.js';
import type { GenomicsSampleInput, ImagingStudyInput } from '../contracts/inputs.js';
import {
  genomicsPlace,
  genomicsPlan,
  imagingPlace,
  imagingPlan,
  type PlannedStep,
  type UnitPlace,
} from '../contracts/unit-plans.js';
import { MadeFiles, lookUpStep, type LookUpServices } from './finished-step.js';

/** The input of a unit's workflow, whatever its modality, with the key of the run's records. */
export type AnyUnitInput = (ImagingStudyInput | GenomicsSampleInput) & { readonly runId: string };

/** Thrown out of a plan at the first step that has to run. */
class NotFinished extends Error {}

/** Goes through the steps of a unit as its workflow does. */
export async function planOf(input: AnyUnitInput, step: PlannedStep): Promise<void> {
  if (input.unit.modality === 'imaging') await imagingPlan(input as ImagingStudyInput, step);
  else await genomicsPlan(input as GenomicsSampleInput, step);
}

export function unitPlaceOf(input: Pick<AnyUnitInput, 'unit'>): UnitPlace {
  const { unit } = input;
  return unit.modality === 'imaging' ? imagingPlace({ unit }) : genomicsPlace({ unit });
}

/** A step of a unit as it is asked for. */
export function unitStep(
  input: AnyUnitInput,
  step: string,
  params: StepRequest['params'],
  inputs: StepRequest['inputs'],
): StepRequest {
  const { output, runId, force = false, verifyInputs, round } = input;
  const { unit, folder } = unitPlaceOf(input);
  return {
    ...{ output, runId, step, params, inputs, unit, force },
    place: { kind: 'output', folder },
    ...(verifyInputs === true ? { verify: true } : {}),
    ...(round === undefined ? {} : { round }),
  };
}

/** What all steps of a unit made, when each of them is finished and untouched; undefined when something has to run. */
export async function finishedSteps(
  input: AnyUnitInput,
  services: LookUpServices,
  signal: AbortSignal,
): Promise<readonly (readonly [step: string, report: StepReport])[] | undefined> {
  const made = new MadeFiles(services, input.output);
  const found: (readonly [string, StepReport])[] = [];
  try {
    await planOf(input, async (step, params, inputs) => {
      const report = await lookUpStep(unitStep(input, step, params, inputs), services, signal, made);
      if (report === undefined) throw new NotFinished();
      found.push([step, report]);
      return report;
    });
    return found;
  } catch {
    // Whatever is wrong with this unit, whoever runs its steps finds out and reports.
    signal.throwIfAborted();
    return undefined;
  }
}

/** The codes of a step's warnings, as its line among the outcomes shows them. */
export function warningsIn({ warnings }: StepReport['summary']): string {
  return Array.isArray(warnings) ? warnings.join(', ') : '';
}

/** The lines of a unit of which every step is finished already. */
export function reusedRecords(
  { unit, round }: Pick<AnyUnitInput, 'unit' | 'round'>,
  steps: readonly (readonly [step: string, report: StepReport])[],
  started: string,
): OutcomeRecord[] {
  const { unit: who } = unitPlaceOf({ unit });
  const pass = round === undefined || round === 0 ? {} : { round };
  return steps.map(([step, { why, summary }]) => {
    const result = { outcome: 'reused', code: '', why, attempts: 1, started, seconds: 0 } as const;
    return { ...who, step, ...pass, ...result, message: warningsIn(summary) };
  });
}
