import { STEPS_NAME, type ProcessedStep } from '../contracts/processing.js';
import type { RemoteTicket } from '../contracts/remote-work.js';
import { CohortflowError } from '../domain/errors.js';
import type { Files } from '../ports/files.js';
import type { MadeFile } from '../ports/run-ledger.js';
import { WorkFailed } from '../ports/remote-executor.js';
import type { LookUpServices } from './finished-step.js';

type Ticket = Pick<RemoteTicket, 'name' | 'place'>;

/** The job made something that is not what jobs of this release make: another one would make the same. */
export function notOurs({ name }: Ticket, message: string): CohortflowError {
  return new CohortflowError('JobRejected', `the results of ${name}: ${message}`, { job: name });
}

/** What the job made is not there, or not whole: taking it over again does not mend that, another job may. */
function lost({ name }: Ticket, message: string): WorkFailed {
  return new WorkFailed('JobLost', `the results of ${name}: ${message}`, { job: name });
}

const isMissing = (error: unknown): boolean => error instanceof CohortflowError && error.code === 'FileNotFound';

/** A file among the results, never one elsewhere. */
function isOutput(value: unknown): boolean {
  const { path, size, sha256 } = (value ?? {}) as Partial<ProcessedStep['outputs'][number]>;
  if (typeof path !== 'string' || typeof size !== 'number' || typeof sha256 !== 'string') return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

function isStep(value: unknown): value is ProcessedStep {
  const { step, version, outputs, summary, started, seconds } = (value ?? {}) as Partial<ProcessedStep>;
  if (typeof step !== 'string' || typeof version !== 'number') return false;
  if (typeof started !== 'string' || typeof seconds !== 'number') return false;
  return typeof summary === 'object' && summary !== null && Array.isArray(outputs) && outputs.every(isOutput);
}

/**
 * What the container says it made.
 *
 * @throws WorkFailed `JobLost` when the list is not there or cut off; CohortflowError `JobRejected` when it is none of ours
 */
export async function processedSteps(ticket: Ticket, files: Files, signal: AbortSignal): Promise<ProcessedStep[]> {
  const text = await files.readText(`${ticket.place}/results/${STEPS_NAME}`, signal).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
    throw lost(ticket, `the job completed, but ${STEPS_NAME} is not there: was it removed, is the image one of ours?`);
  });
  let found: { readonly steps?: unknown } | null;
  try {
    found = JSON.parse(text) as typeof found;
  } catch {
    throw lost(ticket, `${STEPS_NAME} is damaged`);
  }
  const steps: unknown = found?.steps;
  if (Array.isArray(steps) && steps.every(isStep)) return steps;
  throw notOurs(ticket, `${STEPS_NAME} lists no steps as ours do: is the image one of ours?`);
}

/**
 * Brings one file into place and checks that it is what the container wrote.
 *
 * @throws WorkFailed `JobLost` when it is not there or not that any more; CohortflowError `ChecksumMismatch` for a copy of it
 */
export async function bring(
  ticket: Ticket,
  { files, fingerprints }: Pick<LookUpServices, 'files' | 'fingerprints'>,
  { path, size, sha256 }: ProcessedStep['outputs'][number],
  folder: string,
  signal: AbortSignal,
): Promise<MadeFile> {
  const source = `${ticket.place}/results/${path}`;
  const place = `${folder}/${path}`;
  await files.copy(source, place, signal).catch((error: unknown) => {
    throw isMissing(error) ? lost(ticket, `${path} is not there`) : error;
  });
  const found = await files.stat(place);
  const stamp = await fingerprints.stamp(place);
  const hash = await files.sha256(place, signal);
  if (found?.size !== size || hash !== sha256) {
    await files.remove(place);
    if ((await files.sha256(source, signal)) !== sha256) throw lost(ticket, `${path} is not what was written`);
    throw new CohortflowError('ChecksumMismatch', `the results of ${ticket.name}: the copy of ${path} is damaged`);
  }
  return { path, size, sha256, ...(stamp === undefined ? {} : { stamp }) };
}
