import { ID_MAX_LENGTH, ID_PATTERN, STRANDEDNESS, columnRule, type SheetColumn } from './columns.js';
import type { Strandedness } from './manifest.js';
import type { SheetFaultKind } from './sheet-fault.js';
import { endsInOneOf, placeFault, shownPath } from './sheet-paths.js';

/** What is wrong with one cell, before it has a place. */
export interface CellFault {
  readonly kind: SheetFaultKind;
  readonly message: string;
}

const fault = (kind: SheetFaultKind, message: string): CellFault => ({ kind, message });

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;
const PLACEHOLDER = /^(?:n\/?a|nan|none|null|nil|-+|\.|\?|#n\/a|#ref!|#name\?|#value!)$/i;
const NUMBER_LIKE = /^[+-]?(?:\d[\d.,]*|\.\d+)(?:e[+-]?\d+)?\s*[\p{L}%°/²³]*$/iu;

/**
 * True when a spreadsheet program would run the text as a formula: it begins with `=` or `@`, or with `+` or `-` and is
 * no number. Such cells would travel into the data set and be opened by somebody else.
 */
export function isFormula(value: string): boolean {
  if (/^[=@\t\r]/.test(value)) return true;
  return /^[+-]/.test(value) && !NUMBER_LIKE.test(value) && !/^[+-]+$/.test(value);
}

/** Checks that hold for every cell, carried ones too. */
export function checkAnyCell(value: string): CellFault | undefined {
  if (CONTROL.test(value)) {
    return fault('ControlCharacter', 'the value has a control character; type it again');
  }
  if (isFormula(value)) {
    return fault('FormulaCell', 'the value begins like a spreadsheet formula (=, +, - or @); store it as plain text');
  }
  return undefined;
}

function characterName(character: string): string {
  if (/\s/u.test(character)) return 'a space';
  return /[\p{L}\p{M}\p{N}]/u.test(character) ? 'a letter outside A–Z' : `\`${character}\``;
}

/**
 * Checks an id. What breaks the pattern may be a person's name, so a message shows only the offending kind of character
 * and its place.
 */
export function checkId(value: string): CellFault | undefined {
  if (ID_PATTERN.test(value)) return undefined;
  if (/^[\d.,]+e\+?\d+$/i.test(value)) {
    const message = 'a spreadsheet turned this id into a number (1.2E+05); format the column as text and type it again';
    return fault('BadId', message);
  }
  const rest = value.replace(/[A-Za-z0-9._-]/gu, '');
  if (rest === '' && value.length > ID_MAX_LENGTH) {
    return fault('IdTooLong', `the id has ${value.length} characters; at most ${ID_MAX_LENGTH} are allowed`);
  }
  if (rest === '') return fault('BadId', 'an id begins with a letter or a digit');
  const character = [...rest][0] as string;
  const at = [...value].indexOf(character) + 1;
  const allowed = 'letters A–Z, digits, dots, hyphens and underscores are allowed';
  return fault('BadId', `the id has ${characterName(character)} at position ${at}; ${allowed}`);
}

/** Ids that look as if a spreadsheet had changed them, though they are allowed. */
export function looksMangled(id: string): boolean {
  return /^\d+(?:\.\d+)?E\d+$/.test(id) || /^\d{1,2}-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)$/i.test(id);
}

const OTHER_NAMES: Readonly<Record<string, Strandedness>> = {
  ...{ a: 'auto', automatic: 'auto', unknown: 'auto' },
  ...{ fr: 'forward', isf: 'forward', sf: 'forward', 'fr-secondstrand': 'forward', secondstrand: 'forward' },
  ...{ yes: 'forward', f: 'forward', fwd: 'forward', sense: 'forward', forwards: 'forward', foward: 'forward' },
  ...{ rf: 'reverse', isr: 'reverse', sr: 'reverse', 'fr-firststrand': 'reverse', firststrand: 'reverse' },
  ...{ r: 'reverse', rev: 'reverse', reversed: 'reverse', antisense: 'reverse', revers: 'reverse' },
  ...{ u: 'unstranded', iu: 'unstranded', no: 'unstranded', 'fr-unstranded': 'unstranded', unstrand: 'unstranded' },
};

/** Reads a strandedness. Other tools' words are not guessed at but answered with the right one. */
export function readStrandedness(value: string): Strandedness | CellFault {
  const word = value.toLowerCase();
  const match = STRANDEDNESS.find((choice) => choice === word);
  if (match !== undefined) return match;
  const meant = OTHER_NAMES[word];
  const advice = meant === undefined ? '' : `; \`${value}\` is \`${meant}\` here`;
  return fault('UnknownStrandedness', `not one of ${STRANDEDNESS.join(', ')}${advice}`);
}

/** Reads the label of a mask: a whole number from 1. (Tables written by other programs say `1.0`.) */
export function readLabel(value: string): number | CellFault {
  const number = /^\d{1,9}(?:\.0+)?$/.test(value) ? Number(value) : 0;
  return number >= 1 ? number : fault('BadLabel', 'the label of a mask is a whole number from 1');
}

/** True for the accession of a sequencing run, which is fetched; anything else under `sra` is a file. */
export function isRunAccession(value: string): boolean {
  return /^[SED]RR\d{6,9}$/i.test(value);
}

const SHELL_HOME = /^~(?:$|\/)/;
const WINDOWS = /^(?:[A-Za-z]:[\\/]|\\\\)/;

/** Checks what is written as a path, before it is resolved. */
export function checkPath(column: SheetColumn, value: string): CellFault | undefined {
  if (PLACEHOLDER.test(value)) {
    return fault('PlaceholderValue', 'a placeholder stands where a path belongs; leave the cell empty');
  }
  if (column === 'sra' && /^(?:[SED]R[XSPA]\d+|PRJ[A-Z]+\d+|SAM[A-Z]+\d+|GS[ME]\d+)$/i.test(value)) {
    const message = 'this accession is not one of a run; give the run (SRR…, ERR…, DRR…), one per row';
    return fault('BadAccession', message);
  }
  const place = placeFault(value);
  if (place !== undefined) return fault('BadPath', place);
  if (SHELL_HOME.test(value)) return fault('BadPath', '`~` is not expanded in a sheet; write the folder out');
  if (WINDOWS.test(value))
    return fault('BadPath', 'a Windows path; use one of this machine, or one relative to the sheet');
  return checkEnding(column, value);
}

function checkEnding(column: SheetColumn, value: string): CellFault | undefined {
  const endings = columnRule(column).endings;
  if (endings !== undefined && !endsInOneOf(value, endings)) {
    return fault('WrongExtension', `${shownPath(value)} does not end in ${endings.join(', ')}`);
  }
  if (column === 'imaging' && endsInOneOf(value, ['.nii', '.nii.gz'])) {
    return fault('WrongExtension', 'a NIfTI file; give it under image, and its mask under mask');
  }
  return undefined;
}

/** True when the names of two mates say that they were swapped (`…_R2` given first). */
export function matesLookSwapped(first: string, second: string): boolean {
  return /[_.]R?2(?:_\d+)?\.f(?:ast)?q/i.test(first) && /[_.]R?1(?:_\d+)?\.f(?:ast)?q/i.test(second);
}
