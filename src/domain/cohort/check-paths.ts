import { CohortflowError } from '../errors.js';
import type { CohortManifest } from './manifest.js';
import type { PlaceOf } from './path-register.js';
import { inSheetOrder, type SheetFault, type SheetFaultKind } from './sheet-fault.js';
import { shownPath } from './sheet-paths.js';
import { isRunAccession } from './cell-checks.js';

/** What is at a path, or undefined when nothing is: `Files.stat` fits. */
export type StatPath = (
  path: string,
) => Promise<{ readonly kind: 'file' | 'folder'; readonly size: number; readonly archived?: boolean } | undefined>;

interface Expected {
  readonly path: string;
  readonly column: string;
  readonly caseId: string;
  /** What has to be there; a DICOM study may also be an archive. */
  readonly kind: 'file' | 'folder or file';
}

function* expectedPaths(manifest: CohortManifest): Generator<Expected> {
  for (const { caseId, source } of manifest.imaging) {
    if (source.kind === 'dicom') yield { path: source.folder, column: 'imaging', caseId, kind: 'folder or file' };
    else {
      yield { path: source.image, column: 'image', caseId, kind: 'file' };
      yield { path: source.mask, column: 'mask', caseId, kind: 'file' };
    }
  }
  for (const { caseId, source } of manifest.genomics) {
    if (source.kind === 'quant') yield { path: source.path, column: 'quant', caseId, kind: 'file' };
    else if (source.kind === 'sra') {
      for (const path of source.runs) {
        if (!isRunAccession(path)) yield { path, column: 'sra', caseId, kind: 'file' };
      }
    } else {
      for (const lane of source.lanes) {
        yield { path: lane.fastq1, column: 'fastq_1', caseId, kind: 'file' };
        if (lane.fastq2 !== undefined) yield { path: lane.fastq2, column: 'fastq_2', caseId, kind: 'file' };
      }
    }
  }
}

/**
 * Looks at every file of a cohort and reports what is not there, is a folder instead of a file, is empty, lies in an archive, or
 * may not be read.
 *
 * @param stat what is at an absolute path or URI
 * @param placeOf the row of a path (`SheetReading.placeOf`); without it faults name the case only
 * @param width how many looks are under way at once
 */
export async function checkPaths(
  manifest: CohortManifest,
  stat: StatPath,
  placeOf: PlaceOf = () => undefined,
  width = 32,
): Promise<SheetFault[]> {
  const faults: SheetFault[] = [];
  const seen = new Set<string>();
  const queue = expectedPaths(manifest);

  async function check({ path, column, caseId, kind }: Expected): Promise<void> {
    const row = placeOf(path)?.row;
    const fault = (name: SheetFaultKind, message: string): void => {
      faults.push({ kind: name, ...(row === undefined ? {} : { row }), column, message: `case ${caseId}: ${message}` });
    };
    let found: Awaited<ReturnType<StatPath>>;
    try {
      found = await stat(path);
    } catch (error) {
      const { code, details } = error instanceof CohortflowError ? error : {};
      // A bucket that is not there cannot be looked into at all.
      if (code === 'FileNotFound') return fault('PathNotFound', `${shownPath(path)} does not exist, nor its bucket`);
      if (code !== 'AwsDenied') throw error;
      const action = typeof details?.['action'] === 'string' ? ` (${details['action']})` : '';
      return fault('PathNotAllowed', `${shownPath(path)} may not be read; grant it to the credentials in use${action}`);
    }
    if (found === undefined)
      fault('PathNotFound', `${shownPath(path)} does not exist; paths start at the sheet's folder`);
    else if (kind === 'file' && found.kind === 'folder')
      fault('WrongPathKind', `${shownPath(path)} is a folder, not a file`);
    else if (found.archived === true)
      fault('PathArchived', `${shownPath(path)} lies in an archive (S3 Glacier); have it restored first`);
    else if (found.kind === 'file' && found.size === 0) fault('EmptyFile', `${shownPath(path)} is empty (0 bytes)`);
  }

  async function work(): Promise<void> {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      const { path } = next.value;
      if (seen.has(path)) continue;
      seen.add(path);
      await check(next.value);
    }
  }

  await Promise.all(Array.from({ length: width }, work));
  // Looks end in any order; equal rows are put in the order of their columns' names.
  return inSheetOrder(faults.sort((a, b) => ((a.column ?? '') + a.message < (b.column ?? '') + b.message ? -1 : 1)));
}
