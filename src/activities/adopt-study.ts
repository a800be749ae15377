import type { StepReport, StepRequest } from '../contracts/activities.js';
import type { OutcomeRecord } from '../contracts/outcome.js';
import { STEPS_NAME, type ProcessedStep } from '../contracts/processing.js';
import type { RemoteRequest, RemoteTicket } from '../contracts/remote-work.js';
import type { JsonObject } from '../steps/step.js';
import { mapBounded } from '../domain/map-bounded.js';
import type { StepManifest } from '../ports/run-ledger.js';
import { fingerprintOf, intact, placeOf, reasonToRun, reuseReport, type LookUpServices } from './finished-step.js';
import { finishedSteps, planOf, unitStep, warningsIn, type AnyUnitInput } from './finished-unit.js';
import { checkInputs } from './job-inputs.js';
import { bring, notOurs, processedSteps } from './job-results.js';
import { machineText } from './machine-text.js';

/** Files brought into place at once. */
const COPIES_AT_ONCE = 4;

interface Adoption {
  readonly request: RemoteRequest;
  readonly ticket: RemoteTicket;
  /** Machine and seconds of the job. */
  readonly facts: JsonObject;
  readonly input: AnyUnitInput;
  readonly services: LookUpServices;
  readonly signal: AbortSignal;
}

async function adoptStep(
  adoption: Adoption,
  processed: ProcessedStep,
  request: StepRequest,
): Promise<Pick<StepReport, 'folder' | 'outputs'>> {
  const { services, signal, ticket } = adoption;
  const { ledger, files, fingerprints, sharedFolder, versionOf } = services;
  if (processed.version !== versionOf(request.step)) {
    const message = `${request.step} has version ${processed.version} in the image and ${versionOf(request.step)} here; use an image of this release`;
    throw notOurs(ticket, message);
  }
  const now = await fingerprintOf(request, services, signal);
  const { folder, manifest } = placeOf(request, now, sharedFolder);
  const before = await ledger.manifest(manifest);
  const why = reasonToRun(now, before, request.force);
  const record = async (reason: string): Promise<void> => {
    const { unit, step, round } = request;
    if (unit === undefined) return;
    const { started, seconds, summary } = processed;
    // Beside the first of the study's steps.
    const paid = step === 'imaging.convert' ? machineText('job', adoption.facts) : '';
    const message = [warningsIn(summary), paid].filter((text) => text !== '').join('; ');
    const line: OutcomeRecord = {
      ...{ ...unit, step, ...(round === undefined ? {} : { round }), outcome: 'done', code: '', why: reason },
      ...{ attempts: adoption.request.attempt, started, seconds, message },
    };
    await ledger.record(request.output, request.runId, line);
  };
  // Taken over already by an attempt whose answer was lost, or untouched by what made the job run.
  const hashOf = (path: string): Promise<string> => fingerprints.of(path, { signal });
  if (why === undefined && before !== undefined && (await intact(folder, before.outputs, services, hashOf))) {
    await record(before.made?.runId === request.runId ? before.made.why : 'unchanged');
    return reuseReport(folder, before);
  }
  const names = new Set(processed.outputs.map(({ path }) => path));
  for (const old of before?.outputs ?? []) if (!names.has(old.path)) await files.remove(`${folder}/${old.path}`);
  const outputs = await mapBounded(processed.outputs, COPIES_AT_ONCE, (output) =>
    bring(ticket, services, output, folder, signal),
  );
  const reason = why ?? (before === undefined ? 'new' : 'outputs missing or changed');
  const { summary } = processed;
  const made: StepManifest['made'] = { runId: request.runId, why: reason };
  await ledger.setManifest(manifest, { ...now, outputs, summary, made });
  await record(reason);
  return { folder, outputs: [...names] };
}

/**
 * Takes over what a processing job made of a study: files into their place, manifests after them, outcomes last; the same as
 * if the steps had run here, so that the next run reuses them wherever it runs. Safe to repeat after any crash.
 *
 * @throws WorkFailed `JobLost` for results that are missing or damaged; CohortflowError `JobRejected` when the image is of another
 * release, `ChecksumMismatch`, …
 */
export async function adoptStudy(adoption: Adoption): Promise<void> {
  const { input, ticket, services, signal } = adoption;
  const { files } = services;
  // The list of steps goes last: without it all was taken over already, and only the answer was lost.
  const list = `${ticket.place}/results/${STEPS_NAME}`;
  if ((await files.stat(list)) === undefined && (await finishedSteps(input, services, signal)) !== undefined) return;
  await checkInputs(ticket, services, signal);
  const steps = await processedSteps(ticket, files, signal);
  await planOf(input, async (step, params, inputs) => {
    const processed = steps.find((one) => one.step === step);
    if (processed === undefined) throw notOurs(ticket, `${step} is not among them`);
    return adoptStep(adoption, processed, unitStep(input, step, params, inputs));
  });
  for (const entry of await files.list(ticket.place, { recursive: true })) {
    if (entry.path !== list) await files.remove(entry.path);
  }
  await files.remove(ticket.place);
}
