import { checkPaths, folderOf, readCohortSheet, sheetError, type SheetReading } from '../../domain/cohort/index.js';
import { baseName } from '../file-names.js';
import type { Files } from '../../ports/files.js';

/**
 * Reads a cohort sheet and checks it whole, files included.
 *
 * @returns the reading, with no faults left
 * @throws CohortflowError `InvalidSheet` with all faults of all rows; `FileNotFound`
 */
export async function readCheckedSheet(path: string, files: Files, signal?: AbortSignal): Promise<SheetReading> {
  const reading = readCohortSheet(await files.read(path, signal), { base: folderOf(path) });
  const name = baseName(path);
  const missing = await checkPaths(reading.manifest, (file) => files.stat(file), reading.placeOf);
  const faults = [...reading.faults, ...missing];
  if (faults.length > 0) throw sheetError(name, faults, reading.faultCount + missing.length);
  return reading;
}
