import type { NextUnits, StepReport, StepRequest, UnitPage } from '../contracts/activities.js';
import type { GenomicsSampleInput, ImagingStudyInput } from '../contracts/inputs.js';
import type { OutcomeRecord } from '../contracts/outcome.js';
import { genomicsPlace, genomicsPlan, imagingPlace, imagingPlan, type PlannedStep } from '../contracts/unit-plans.js';
import type { CohortUnit } from '../domain/cohort/manifest.js';
import { mapBounded } from '../domain/map-bounded.js';
import type { JsonObject } from '../steps/step.js';
import { MadeFiles, lookUpStep, type LookUpServices } from './finished-step.js';
import { loadUnits } from './units.js';

/** Units looked at at once: each is a few dozen looks at files. */
const LOOKS_AT_ONCE = 8;
/** A page goes to the workflow after so much looking: lanes wait for it, and progress is seen. */
const LOOKING_MS = 15_000;

/** Thrown out of a plan at the first step that has to run. */
class NotFinished extends Error {}

/** The plan of one unit with the given step. */
async function plan(unit: CohortUnit, childInput: JsonObject, step: PlannedStep): Promise<void> {
  const input = { ...childInput, unit };
  if (unit.modality === 'imaging') await imagingPlan(input as unknown as ImagingStudyInput, step);
  else await genomicsPlan(input as unknown as GenomicsSampleInput, step);
}

/** What all steps of a unit made, when each of them is finished and untouched; undefined when its workflow must look. */
async function finishedSteps(
  unit: CohortUnit,
  page: UnitPage,
  services: LookUpServices,
  signal: AbortSignal,
): Promise<readonly [step: string, report: StepReport][] | undefined> {
  const { output, runId, reuse = {} } = page;
  const made = new MadeFiles(services, output);
  const found: [string, StepReport][] = [];
  const place = unit.modality === 'imaging' ? imagingPlace({ unit }) : genomicsPlace({ unit });
  try {
    await plan(unit, reuse, async (step, params, inputs) => {
      const where = { kind: 'output', folder: place.folder } as const;
      const verify = reuse['verifyInputs'] === true ? { verify: true } : {};
      const request: StepRequest = {
        output,
        runId,
        step,
        params,
        inputs,
        unit: place.unit,
        place: where,
        force: false,
      };
      const report = await lookUpStep({ ...request, ...verify }, services, signal, made);
      if (report === undefined) throw new NotFinished();
      found.push([step, report]);
      return report;
    });
    return found;
  } catch {
    // Whatever is wrong with this unit, its own workflow finds out and reports.
    signal.throwIfAborted();
    return undefined;
  }
}

function reusedRecords(
  unit: CohortUnit,
  steps: readonly [string, StepReport][],
  round: number,
  started: string,
): OutcomeRecord[] {
  const { unit: who } = unit.modality === 'imaging' ? imagingPlace({ unit }) : genomicsPlace({ unit });
  const pass = round === 0 ? {} : { round };
  return steps.map(([step, { why, summary }]) => {
    const { warnings } = summary;
    const message = Array.isArray(warnings) ? warnings.join(', ') : '';
    const result = { outcome: 'reused', code: '', why, attempts: 1, started, seconds: 0, message } as const;
    return { ...who, step, ...pass, ...result };
  });
}

/**
 * The next units of a slice that have work to do. Those whose every step is finished for the same content, parameters and
 * versions are recorded as reused here, many at once, and cost no workflow: a finished cohort runs again in seconds.
 */
export async function nextUnits(
  page: UnitPage,
  services: LookUpServices,
  signal: AbortSignal = new AbortController().signal,
): Promise<NextUnits> {
  const { output, runId, modality, round, first, stride, limit } = page;
  const until = Date.now() + LOOKING_MS;
  const units: { unit: CohortUnit; at: number; reused: number }[] = [];
  let reused = 0;
  let next = page.from;
  while (units.length < limit && Date.now() < until) {
    const wanted = limit - units.length;
    const offset = first + next * stride;
    const batch = await loadUnits(services.files, { output, runId, modality, round, offset, stride, limit: wanted });
    const started = new Date().toISOString();
    const finished =
      page.reuse === undefined
        ? batch.map(() => undefined)
        : await mapBounded(batch, LOOKS_AT_ONCE, (unit) => finishedSteps(unit, page, services, signal));
    const records: OutcomeRecord[] = [];
    batch.forEach((unit, index) => {
      const steps = finished[index];
      if (steps === undefined) {
        units.push({ unit, at: next + index, reused });
        reused = 0;
      } else {
        records.push(...reusedRecords(unit, steps, round, started));
        reused += 1;
      }
    });
    const last = offset + Math.max(0, batch.length - 1) * stride;
    await recordAll(page, { first: offset, last }, records, services);
    next += batch.length;
    if (batch.length < wanted) break;
  }
  return { units, reused, next };
}

/** Records what was found finished: as one object, or one by one in a retry, whose positions are not the run's. */
async function recordAll(
  { output, runId, modality, round }: UnitPage,
  range: { readonly first: number; readonly last: number },
  records: readonly OutcomeRecord[],
  { ledger }: LookUpServices,
): Promise<void> {
  if (records.length === 0) return;
  if (round === 0) await ledger.recordPage(output, runId, { modality, ...range, name: 'reused' }, records);
  else await mapBounded(records, LOOKS_AT_ONCE, (record) => ledger.record(output, runId, record));
}
