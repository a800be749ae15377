import { randomUUID } from 'node:crypto';
import { CohortflowError } from '../domain/errors.js';
import type { StepReport, StepRequest } from '../contracts/activities.js';
import { layout } from '../contracts/layout.js';
import type { OutcomeRecord } from '../contracts/outcome.js';
import { isUri } from '../domain/cohort/sheet-paths.js';
import type { MadeFile, StepManifest } from '../ports/run-ledger.js';
import type { StepRunner } from '../ports/step-runner.js';
import { fingerprintOf, intact, placeOf, reasonToRun, reuseReport, type LookUpServices } from './finished-step.js';
import { warningsIn } from './finished-unit.js';
import { machineText } from './machine-text.js';
import { withoutInputPaths } from './masked-paths.js';
import { refuseForeignOutput } from './output-owner.js';
import { stageInputs } from './stage-inputs.js';

export { lookUpStep, MadeFiles, type LookUpServices } from './finished-step.js';

/** What running a step needs. */
export interface StepServices extends LookUpServices {
  readonly runner: StepRunner;
  /** Folder of this machine for steps whose results go elsewhere. */
  readonly workFolder: string;
}

/**
 * Most characters of a step's summary as JSON. A server refuses an answer of 2 MB: the step would then be noted as done here
 * and have failed there.
 */
const MOST_SUMMARY = 200_000;

function checkSummary(step: string, summary: StepManifest['summary']): void {
  const { length } = JSON.stringify(summary);
  if (length <= MOST_SUMMARY) return;
  const message = `${step}: its summary has ${length} characters, and a step may return ${MOST_SUMMARY}`;
  throw new CohortflowError('InternalError', message);
}

/** Facts of this attempt, for the record. */
export interface Attempt {
  readonly number: number;
  readonly started: string;
  readonly seconds: () => number;
}

/** Moves what the step made into place, after removing what an earlier version of it made and this one does not. */
async function commit(
  from: string,
  to: string,
  earlier: StepManifest | undefined,
  services: StepServices,
): Promise<MadeFile[]> {
  const { files, fingerprints } = services;
  const made: MadeFile[] = [];
  const entries = await files.list(from, { recursive: true });
  const names = new Set(entries.map((entry) => entry.path.slice(from.length + 1)));
  for (const old of earlier?.outputs ?? []) if (!names.has(old.path)) await files.remove(`${to}/${old.path}`);
  for (const entry of entries) {
    const path = entry.path.slice(from.length + 1);
    const place = `${to}/${path}`;
    // What leaves this machine is hashed here: nobody else knows of the private folder.
    const before = isUri(to) ? await files.sha256(entry.path) : undefined;
    await files.rename(entry.path, place);
    // The stamp first: a file that changes while it is hashed then counts as changed.
    const stamp = await fingerprints.stamp(place);
    const sha256 = before ?? (await files.sha256(place));
    made.push({ path, size: entry.size, sha256, ...(stamp === undefined ? {} : { stamp }) });
  }
  return made;
}

function outcomeRecord(
  request: StepRequest,
  attempt: Attempt,
  fields: Pick<OutcomeRecord, 'outcome' | 'why' | 'message'>,
): OutcomeRecord | undefined {
  const { unit, step, round = 0 } = request;
  if (unit === undefined) return undefined;
  const { number: attempts, started } = attempt;
  const pass = round > 0 ? { round } : {};
  return { ...unit, step, ...pass, code: '', attempts, started, seconds: attempt.seconds(), ...fields };
}

/**
 * Runs one step once and only once for the same content: looks it up in the ledger, else runs it in a private folder,
 * moves its files into place, writes its manifest last and records its outcome. The one place where this happens.
 *
 * @throws CohortflowError with the step's code, saying nothing of where the inputs lie; the signal's reason after an abort.
 */
export async function executeStep(
  request: StepRequest,
  services: StepServices,
  attempt: Attempt,
  signal: AbortSignal,
  progress: (message: string) => void,
): Promise<StepReport> {
  try {
    return await lookUpOrRun(request, services, attempt, signal, progress);
  } catch (error) {
    signal.throwIfAborted();
    throw withoutInputPaths(error, request.inputs);
  }
}

async function lookUpOrRun(
  request: StepRequest,
  services: StepServices,
  attempt: Attempt,
  signal: AbortSignal,
  progress: (message: string) => void,
): Promise<StepReport> {
  const { files, ledger, runner } = services;
  // A table of the whole cohort is the owner's to write; a unit's files are the same whoever makes them.
  if (request.unit === undefined && request.place.kind === 'output') {
    await refuseForeignOutput(ledger, request.output, request.runId);
  }
  progress('hashing inputs');
  const now = await fingerprintOf(request, services, signal);
  const { folder, manifest } = placeOf(request, now, services.sharedFolder);
  const before = await ledger.manifest(manifest);
  let why = reasonToRun(now, before, request.force);
  if (why === undefined && before !== undefined) {
    const hashOf = (path: string): Promise<string> => services.fingerprints.of(path, { signal });
    if (!(await intact(folder, before.outputs, services, hashOf))) why = 'outputs missing or changed';
  }
  const note = async (outcome: 'done' | 'reused', reason: string, summary: StepManifest['summary']): Promise<void> => {
    const message = [warningsIn(summary), machineText('machine', request.machine ?? {})]
      .filter((text) => text !== '')
      .join('; ');
    const record = outcomeRecord(request, attempt, { outcome, why: reason, message });
    if (record !== undefined) await ledger.record(request.output, request.runId, record);
  };
  if (why === undefined && before !== undefined) {
    // Made by an earlier attempt of this very run whose answer was lost with its worker: that is what the run did.
    const { made } = before;
    const ours = made !== undefined && made.runId === request.runId && attempt.number > 1;
    const reused = reuseReport(folder, before);
    const report: StepReport = ours ? { ...reused, outcome: 'done', why: made.why } : reused;
    await note(report.outcome, report.why, before.summary);
    return report;
  }

  // The same file system as the results, so that moving into place is atomic; of this machine where they go elsewhere.
  const besides = request.place.kind === 'shared' ? `${services.sharedFolder}/.work` : layout.work(request.output);
  const base = isUri(besides) ? services.workFolder : besides;
  const work = `${base}/${randomUUID()}`;
  const outputFolder = `${work}/output`;
  const scratchFolder = `${work}/scratch`;
  try {
    await files.makeFolder(outputFolder);
    await files.makeFolder(scratchFolder);
    const params = { ...request.params, ...request.volatile };
    const given = request.instead ?? request.inputs;
    const inputs = await stageInputs(given, request.output, `${work}/inputs`, files, signal, progress);
    const task = { step: request.step, params, inputs, outputFolder, scratchFolder };
    const summary = await runner.run(task, signal, progress);
    signal.throwIfAborted();
    checkSummary(request.step, summary);
    progress('moving results into place');
    const outputs = await commit(outputFolder, folder, before, services);
    if (outputs.length === 0) throw new CohortflowError('InternalError', `${request.step} made no file`);
    const reason = why ?? 'new';
    await ledger.setManifest(manifest, { ...now, outputs, summary, made: { runId: request.runId, why: reason } });
    await note('done', reason, summary);
    return { outcome: 'done', why: reason, folder, outputs: outputs.map((made) => made.path), summary };
  } finally {
    await files.remove(work);
  }
}
