import type { ImagingStudyInput } from '../contracts/inputs.js';
import type { RemoteTicket } from '../contracts/remote-work.js';
import { WorkFailed } from '../ports/remote-executor.js';
import type { LookUpServices } from './finished-step.js';

type Services = Pick<LookUpServices, 'files' | 'fingerprints'>;
type Unit = Pick<ImagingStudyInput['unit'], 'source'>;

/** Beside the job's request, where its container does not see it: what the study was when the job was asked for. */
const notePlace = (place: string): string => `${place}/inputs.json`;

async function inputsNow({ source }: Unit, { fingerprints }: Services, signal: AbortSignal): Promise<string> {
  const paths = source.kind === 'dicom' ? [source.folder] : [source.image, source.mask];
  const found = await Promise.all(paths.map((path) => fingerprints.known(path, signal)));
  return JSON.stringify(found.map((hash) => hash ?? ''));
}

/** Keeps what a study is before its job can have read it; told once for each piece of work. */
export async function noteInputs(place: string, unit: Unit, services: Services, signal: AbortSignal): Promise<void> {
  await services.files.writeOnce(notePlace(place), await inputsNow(unit, services, signal));
}

/**
 * Results are recorded under what their study is now: one that was replaced while its job ran would pass for computed.
 *
 * @throws WorkFailed `JobLost`: another job computes the study as it is
 */
export async function checkInputs(
  { name, place }: Pick<RemoteTicket, 'name' | 'place'>,
  unit: Unit,
  services: Services,
  signal: AbortSignal,
): Promise<void> {
  if ((await services.files.stat(notePlace(place))) === undefined) return;
  const before = await services.files.readText(notePlace(place), signal);
  if (before === (await inputsNow(unit, services, signal))) return;
  throw new WorkFailed('JobLost', `the study of ${name} was replaced while its job ran`, { job: name });
}
