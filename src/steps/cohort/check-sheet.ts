import { checkPaths, folderOf, readingCohortSheet, sheetError, type SheetReading } from '../../domain/cohort/index.js';
import { withPauses } from '../../domain/pauses.js';
import { baseName } from '../file-names.js';
import type { Files } from '../../ports/files.js';

/** A sheet of a million rows takes many seconds: the heartbeats of this and other activities go on meanwhile. */
const letOthersRun = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Reads a cohort sheet and checks it whole, files included.
 *
 * @returns the reading, with no faults left
 * @throws CohortflowError `InvalidSheet` with all faults of all rows; `FileNotFound`
 */
export async function readCheckedSheet(path: string, files: Files, signal?: AbortSignal): Promise<SheetReading> {
  const work = readingCohortSheet(await files.read(path, signal), { base: folderOf(path) });
  const reading = await withPauses(work, letOthersRun);
  const name = baseName(path);
  const missing = await checkPaths(reading.manifest, (file) => files.stat(file), reading.placeOf);
  const faults = [...reading.faults, ...missing];
  if (faults.length > 0) throw sheetError(name, faults, reading.faultCount + missing.length);
  return reading;
}
