import { inSheetOrder, sheetError, type SheetFault } from './sheet-fault.js';
import type { SheetReading } from './read-sheet.js';

/** The bucket of `s3://bucket/…`. */
const bucketOf = (uri: string): string | undefined => /^s3:\/\/([^/]+)/.exec(uri)?.[1];

function faultsOf({ manifest, placeOf }: Pick<SheetReading, 'manifest' | 'placeOf'>, buckets: ReadonlySet<string>) {
  const faults: SheetFault[] = [];
  for (const { caseId, source } of manifest.imaging) {
    const places =
      source.kind === 'dicom'
        ? ([['imaging', source.folder]] as const)
        : ([
            ['image', source.image],
            ['mask', source.mask],
          ] as const);
    for (const [column, path] of places) {
      const bucket = bucketOf(path);
      if (bucket === undefined || !buckets.has(bucket)) continue;
      const row = placeOf(path)?.row;
      const message =
        `case ${caseId}: who reads the bucket ${bucket} pays for it, and SageMaker's jobs cannot say that they do: copy the study ` +
        'to a bucket of yours (aws s3 cp --recursive --request-payer requester), or compute it with --imaging-executor local';
      faults.push({ kind: 'RequesterPaysBucket', ...(row === undefined ? {} : { row }), column, message });
    }
  }
  return inSheetOrder(faults);
}

/**
 * Refuses studies that processing jobs of SageMaker would be denied, each with its row: an input of a job has no option by
 * which its reader pays.
 *
 * @param sheet path of the sheet
 * @param buckets those whose reader pays, by the settings
 * @throws CohortflowError `InvalidSheet`
 */
export function refuseRequesterPays(
  sheet: string,
  reading: Pick<SheetReading, 'manifest' | 'placeOf'>,
  buckets: readonly string[],
): void {
  const faults = buckets.length === 0 ? [] : faultsOf(reading, new Set(buckets));
  if (faults.length > 0) throw sheetError(sheet.slice(sheet.lastIndexOf('/') + 1), faults);
}
