import { randomUUID } from 'node:crypto';
import { CohortflowError } from '../domain/errors.js';
import type { StepReport, StepRequest } from '../contracts/activities.js';
import { layout } from '../contracts/layout.js';
import type { OutcomeRecord } from '../contracts/outcome.js';
import type { Files } from '../ports/files.js';
import type { Fingerprints, MadeFile, RunLedger, StepManifest } from '../ports/run-ledger.js';
import type { StepRunner } from '../ports/step-runner.js';
import { canonicalJson, sha256Text } from './canonical-json.js';

/** What running a step needs. */
export interface StepServices {
  readonly files: Files;
  readonly ledger: RunLedger;
  readonly fingerprints: Fingerprints;
  readonly runner: StepRunner;
  /** Version of a step by its name. */
  readonly versionOf: (step: string) => number;
  /** Folder of results that any run may share. */
  readonly sharedFolder: string;
}

/** Facts of this attempt, for the record. */
export interface Attempt {
  readonly number: number;
  readonly started: string;
  readonly seconds: () => number;
}

type Fingerprint = Pick<StepManifest, 'step' | 'version' | 'params' | 'inputs'>;

async function fingerprint(request: StepRequest, services: StepServices, signal: AbortSignal): Promise<Fingerprint> {
  const inputs: Record<string, string> = {};
  for (const [role, paths] of Object.entries(request.inputs)) {
    const hashes: string[] = [];
    for (const path of paths) hashes.push(await services.fingerprints.of(path, signal));
    inputs[role] = sha256Text(hashes.join('\n'));
  }
  const { step, params } = request;
  return { step, version: services.versionOf(step), params: sha256Text(canonicalJson(params)), inputs };
}

/** Why a step must run; undefined when a finished one can be taken instead. */
function reasonToRun(now: Fingerprint, before: StepManifest | undefined, force: boolean): string | undefined {
  if (force) return 'forced';
  if (before === undefined) return 'new';
  if (before.version !== now.version) return 'step version changed';
  if (before.params !== now.params) return 'parameters changed';
  const roles = [...new Set([...Object.keys(before.inputs), ...Object.keys(now.inputs)])];
  const changed = roles.filter((role) => before.inputs[role] !== now.inputs[role]);
  return changed.length > 0 ? `input changed: ${changed.join(', ')}` : undefined;
}

async function intact(folder: string, outputs: readonly MadeFile[], services: StepServices): Promise<boolean> {
  for (const { path, size, sha256 } of outputs) {
    const found = await services.files.stat(`${folder}/${path}`);
    if (found?.kind !== 'file' || found.size !== size) return false;
    if ((await services.fingerprints.of(found.path)) !== sha256) return false;
  }
  return true;
}

/** Moves what the step made into place, after removing what an earlier version of it made and this one does not. */
async function commit(
  from: string,
  to: string,
  before: StepManifest | undefined,
  services: StepServices,
): Promise<MadeFile[]> {
  const { files, fingerprints } = services;
  const made: MadeFile[] = [];
  const entries = await files.list(from, { recursive: true });
  const names = new Set(entries.map((entry) => entry.path.slice(from.length + 1)));
  for (const old of before?.outputs ?? []) if (!names.has(old.path)) await files.remove(`${to}/${old.path}`);
  for (const entry of entries) {
    const path = entry.path.slice(from.length + 1);
    await files.rename(entry.path, `${to}/${path}`);
    made.push({ path, size: entry.size, sha256: await fingerprints.of(`${to}/${path}`) });
  }
  return made;
}

/** Where a request's files go and where its manifest stands. */
function placeOf(request: StepRequest, now: Fingerprint, services: StepServices): { folder: string; manifest: string } {
  const { output, place, step } = request;
  if (place.kind === 'shared') {
    const folder = `${services.sharedFolder}/${step}/${sha256Text(canonicalJson(now)).slice(0, 32)}`;
    return { folder, manifest: `${folder}/manifest.json` };
  }
  const folder = place.folder === '' ? output : `${output}/${place.folder}`;
  return { folder, manifest: layout.stepManifest(output, place.folder, step) };
}

function outcomeRecord(
  request: StepRequest,
  attempt: Attempt,
  fields: Pick<OutcomeRecord, 'outcome' | 'why' | 'message'>,
): OutcomeRecord | undefined {
  const { unit, step } = request;
  if (unit === undefined) return undefined;
  const { number: attempts, started } = attempt;
  return { ...unit, step, code: '', attempts, started, seconds: attempt.seconds(), ...fields };
}

function warningsIn(summary: StepManifest['summary']): string {
  const warnings = summary['warnings'];
  return Array.isArray(warnings) ? warnings.join(', ') : '';
}

/**
 * Runs one step once and only once for the same content: looks it up in the ledger, else runs it in a private folder,
 * moves its files into place, writes its manifest last and records its outcome. The one place where this happens.
 *
 * @throws CohortflowError with the step's code; the signal's reason after an abort.
 */
export async function executeStep(
  request: StepRequest,
  services: StepServices,
  attempt: Attempt,
  signal: AbortSignal,
  progress: (message: string) => void,
): Promise<StepReport> {
  const { files, ledger, runner } = services;
  progress('hashing inputs');
  const now = await fingerprint(request, services, signal);
  const { folder, manifest } = placeOf(request, now, services);
  const before = await ledger.manifest(manifest);
  let why = reasonToRun(now, before, request.force);
  if (why === undefined && before !== undefined && !(await intact(folder, before.outputs, services))) {
    why = 'outputs missing or changed';
  }
  const note = async (outcome: 'done' | 'reused', reason: string, summary: StepManifest['summary']): Promise<void> => {
    const record = outcomeRecord(request, attempt, { outcome, why: reason, message: warningsIn(summary) });
    if (record !== undefined) await ledger.record(request.output, request.runId, record);
  };
  if (why === undefined && before !== undefined) {
    // Made by an earlier attempt of this very run whose answer was lost with its worker: that is what the run did.
    const { made } = before;
    const ours = made !== undefined && made.runId === request.runId && attempt.number > 1;
    const outcome = ours ? 'done' : 'reused';
    const reason = ours ? made.why : 'unchanged';
    await note(outcome, reason, before.summary);
    const outputs = before.outputs.map(({ path }) => path);
    return { outcome, why: reason, folder, outputs, summary: before.summary };
  }

  // Inside the run folder: the same file system as the results, so that moving into place is atomic.
  const base = request.place.kind === 'shared' ? `${services.sharedFolder}/.work` : layout.work(request.output);
  const work = `${base}/${randomUUID()}`;
  const outputFolder = `${work}/output`;
  const scratchFolder = `${work}/scratch`;
  try {
    await files.makeFolder(outputFolder);
    await files.makeFolder(scratchFolder);
    const params = { ...request.params, ...request.volatile };
    const task = { step: request.step, params, inputs: request.inputs, outputFolder, scratchFolder };
    const summary = await runner.run(task, signal, progress);
    signal.throwIfAborted();
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
