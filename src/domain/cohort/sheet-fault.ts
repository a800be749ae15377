import { CohortflowError } from '../errors.js';

/** Every kind of fault a cohort sheet can have. */
export type SheetFaultKind =
  | 'NotText'
  | 'NotUtf8'
  | 'NotCsv'
  | 'EmptySheet'
  | 'NoRows'
  | 'MissingIdColumn'
  | 'DuplicateColumn'
  | 'UnnamedColumn'
  | 'LikelyMisnamedColumn'
  | 'RaggedRow'
  | 'EmptyRow'
  | 'ControlCharacter'
  | 'FormulaCell'
  | 'PlaceholderValue'
  | 'MissingCaseId'
  | 'BadId'
  | 'IdTooLong'
  | 'IdsDifferInCaseOnly'
  | 'UnknownStrandedness'
  | 'BadLabel'
  | 'BadAccession'
  | 'BadPath'
  | 'WrongExtension'
  | 'ImagingGivenTwice'
  | 'ImageWithoutMask'
  | 'MaskWithoutImage'
  | 'LabelWithoutMask'
  | 'MateWithoutFirst'
  | 'ReadsGivenTwice'
  | 'MixedLayout'
  | 'SameFileTwice'
  | 'ConflictingValue'
  | 'StudyNotTold'
  | 'SampleNotTold'
  | 'PathNotFound'
  | 'PathNotAllowed'
  | 'PathArchived'
  | 'RequesterPaysBucket'
  | 'WrongPathKind'
  | 'EmptyFile';

/**
 * One fault of the sheet. `row` is the spreadsheet row (the header is row 1), absent for faults of the whole sheet.
 * `message` says what was found and what to do; it holds no cell of the sheet that may be a name or a date.
 */
export interface SheetFault {
  readonly kind: SheetFaultKind;
  readonly row?: number;
  readonly column?: string;
  readonly message: string;
}

/** Something worth saying that stops nothing. */
export interface SheetWarning {
  readonly kind: string;
  readonly row?: number;
  readonly column?: string;
  readonly message: string;
}

/** `row 3, column fastq_2: …`. */
export function describeFault(fault: SheetFault | SheetWarning): string {
  const place = [
    ...(fault.row === undefined ? [] : [`row ${fault.row}`]),
    ...(fault.column === undefined ? [] : [`column ${fault.column}`]),
  ].join(', ');
  return place === '' ? fault.message : `${place}: ${fault.message}`;
}

/** Faults in the order of the sheet: the whole sheet's first, then by row; of one row in the order found. */
export function inSheetOrder<T extends { readonly row?: number }>(faults: readonly T[]): T[] {
  return [...faults].sort((a, b) => (a.row ?? 0) - (b.row ?? 0));
}

/** How many faults are kept one by one: a sheet of a million bad rows must not fill the memory or a log. */
export const KEPT_FAULTS = 10_000;
const SHOWN_FAULTS = 20;
const DETAILED_FAULTS = 200;

/** Collects faults, keeps the first {@link KEPT_FAULTS} and counts the rest. */
export class FaultList {
  readonly kept: SheetFault[] = [];
  total = 0;

  add(fault: SheetFault): void {
    this.total += 1;
    if (this.kept.length < KEPT_FAULTS) this.kept.push(fault);
  }
}

/**
 * The `InvalidSheet` error for a list of faults: the first 20 in the message, the first 200 in `details.faults`, how many
 * there are in `details.faultCount`.
 *
 * @param sheet name of the sheet, a base name
 */
export function sheetError(sheet: string, faults: readonly SheetFault[], total = faults.length): CohortflowError {
  const ordered = inSheetOrder(faults);
  const shown = ordered.slice(0, SHOWN_FAULTS).map((fault) => `  ${describeFault(fault)}`);
  const rest = total - shown.length;
  const lines = [
    `${sheet}: ${total} ${total === 1 ? 'fault' : 'faults'}, nothing was started`,
    ...shown,
    ...(rest > 0 ? [`  … and ${rest} more`] : []),
  ];
  const details = { sheet, faultCount: total, faults: ordered.slice(0, DETAILED_FAULTS) };
  return new CohortflowError('InvalidSheet', lines.join('\n'), details);
}
