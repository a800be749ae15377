import type { NextUnits, UnitPage } from '../contracts/activities.js';
import { layout } from '../contracts/layout.js';
import type { OutcomeRecord } from '../contracts/outcome.js';
import type { CohortUnit } from '../domain/cohort/manifest.js';
import { CohortflowError } from '../domain/errors.js';
import { mapBounded } from '../domain/map-bounded.js';
import type { LookUpServices } from './finished-step.js';
import { finishedSteps, reusedRecords, type AnyUnitInput } from './finished-unit.js';
import { loadUnits } from './units.js';

/** Units looked at at once: each is a few dozen looks at files. */
const LOOKS_AT_ONCE = 8;
/** A page goes to the workflow after so much looking: lanes wait for it, and progress is seen. */
const LOOKING_MS = 15_000;

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
  const inputOf = (unit: CohortUnit): AnyUnitInput =>
    ({ ...page.reuse, unit, output, runId, ...(round === 0 ? {} : { round }) }) as unknown as AnyUnitInput;
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
        : await mapBounded(batch, LOOKS_AT_ONCE, (unit) => finishedSteps(inputOf(unit), services, signal));
    const records: OutcomeRecord[] = [];
    batch.forEach((unit, index) => {
      const steps = finished[index];
      if (steps === undefined) {
        units.push({ unit, at: next + index, reused });
        reused = 0;
      } else {
        records.push(...reusedRecords(inputOf(unit), steps, started));
        reused += 1;
      }
    });
    const last = offset + Math.max(0, batch.length - 1) * stride;
    await recordAll(page, { first: offset, last }, records, services);
    next += batch.length;
    if (batch.length < wanted) {
      if (next < (page.size ?? 0)) throw missingPages(page, next);
      break;
    }
  }
  return { units, reused, next };
}

/** Without this the workflow would ask for the rest for ever. */
function missingPages({ output, runId, modality, size = 0 }: UnitPage, found: number): CohortflowError {
  const place = `${layout.manifests(output)}/${runId}`;
  const message = `${place}: the pages of this run are gone or short: ${modality} unit ${found + 1} of ${size} is not there`;
  return new CohortflowError('FileNotFound', message);
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
