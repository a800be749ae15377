import { layout } from '../contracts/layout.js';
import { CohortflowError } from '../domain/errors.js';
import type { Files } from '../ports/files.js';
import { refuseOpenRun, type CleanServices, type Removable } from './clean.js';

/** What a run makes directly below its output; anything else there is somebody else's and stays. */
const MADE = ['imaging', 'genomics', 'clinical', 'features', 'dataset.csv', 'dataset.parquet', 'report.html', 'run'];

async function sizeBelow(files: Files, path: string): Promise<{ files: number; bytes: number }> {
  const entry = await files.stat(path);
  if (entry?.kind === 'file') return { files: 1, bytes: entry.size };
  if (entry === undefined) return { files: 0, bytes: 0 };
  const below = (await files.list(path, { recursive: true })).filter(({ kind }) => kind === 'file');
  return { files: below.length, bytes: below.reduce((sum, { size }) => sum + size, 0) };
}

/** One place as something to remove; none when nothing is there. */
export async function wholePlace(files: Files, kind: Removable['kind'], path: string): Promise<readonly Removable[]> {
  const size = await sizeBelow(files, path);
  return size.files === 0 ? [] : [{ kind, path, ...size, remove: [path] }];
}

/**
 * Everything that runs made in an output folder: results, records and what reuse needs. The next run there begins anew.
 *
 * @throws CohortflowError `OutputBusy` while a run is open there; `FileNotFound` when no run ever wrote there
 */
export async function resultsOfOutput(
  output: string,
  { files, ledger, isOpen }: CleanServices,
  now: number = Date.now(),
): Promise<readonly Removable[]> {
  const owner = await ledger.owner(output);
  // Without the mark of a run the folder may be anybody's.
  if (owner === undefined) {
    throw new CohortflowError('FileNotFound', `${layout.owner(output)}: no run has written there`);
  }
  await refuseOpenRun(owner, isOpen, now);
  const found: Removable[] = [];
  for (const name of MADE) found.push(...(await wholePlace(files, 'results', `${output}/${name}`)));
  return found;
}
