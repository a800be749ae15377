import type { RemoteTicket } from '../contracts/remote-work.js';
import type { CohortUnit } from '../domain/cohort/manifest.js';
import { WorkFailed } from '../ports/remote-executor.js';
import type { LookUpServices } from './finished-step.js';

type Services = Pick<LookUpServices, 'files' | 'fingerprints'>;
type Source = CohortUnit['source'];

/** What each input was, by its path. */
type Note = Readonly<Record<string, string>>;

/** Beside the request of the work, where what does it does not see it: what its inputs were when it was asked for. */
const notePlace = (place: string): string => `${place}/inputs.json`;

/** What may be replaced behind our back; runs of an archive are not. */
function pathsOf(source: Source): readonly string[] {
  switch (source.kind) {
    case 'dicom':
      return [source.folder];
    case 'nifti':
      return [source.image, source.mask];
    case 'fastq':
      return source.lanes.flatMap(({ fastq1, fastq2 }) => (fastq2 === undefined ? [fastq1] : [fastq1, fastq2]));
    case 'quant':
      return [source.path];
    case 'sra':
      return [];
  }
}

async function noteOf(paths: readonly string[], { fingerprints }: Services, signal: AbortSignal): Promise<Note> {
  const hashes = await Promise.all(paths.map(async (path) => [path, (await fingerprints.known(path, signal)) ?? '']));
  return Object.fromEntries(hashes) as Note;
}

/** Keeps what a study or sample is before a service can have read it; told once for each piece of work. */
export async function noteInputs(
  place: string,
  { source }: { readonly source: Source },
  services: Services,
  signal: AbortSignal,
): Promise<void> {
  const note = await noteOf(pathsOf(source), services, signal);
  await services.files.writeOnce(notePlace(place), JSON.stringify(note));
}

/**
 * Results are recorded under what their inputs are now: those of one that was replaced meanwhile would pass for computed from it.
 *
 * @throws WorkFailed `JobLost`: the work is given away again, with the inputs as they are
 */
export async function checkInputs(
  { name, place }: Pick<RemoteTicket, 'name' | 'place'>,
  services: Services,
  signal: AbortSignal,
): Promise<void> {
  if ((await services.files.stat(notePlace(place))) === undefined) return;
  const before = JSON.parse(await services.files.readText(notePlace(place), signal)) as Note;
  const now = await noteOf(Object.keys(before), services, signal);
  const replaced = Object.keys(before).filter((path) => before[path] !== now[path]).length;
  if (replaced === 0) return;
  throw new WorkFailed('JobLost', `what ${name} was to read was replaced while it ran`, { job: name, replaced });
}
