import { shownName } from '../../dicom/shown-name.js';

/** What the AWS CLI says of a call that was refused or failed; around it stand names of objects. */
const OF_AWS = /An error occurred \([A-Za-z0-9]+\) when calling the [A-Za-z0-9]+ operation/;

/** A path or address, as far as it goes without a blank. */
const PATH = /[^\s'"=,;()]*\/[^\s'"=,;()]*/g;
/** UIDs, and numbers that may be a patient's. */
const NUMBERS = /\d+(?:\.\d+){4,}|\d{8,}/g;

const LONGEST = 200;

/**
 * The line in which a program says why it failed, fit for a message: of paths the last part, masked as names of files are.
 *
 * @param ofTransfer said by what moves objects, whose names may have blanks: of it only what the service answered is shown
 * @returns empty where there is nothing to show
 */
export function lastWords(said: string, ofTransfer: boolean): string {
  const [answer] = OF_AWS.exec(said) ?? [];
  if (answer !== undefined || ofTransfer) return answer ?? '';
  const shown = said
    .replace(PATH, (path) => (/\w/.test(path) ? shownName(path.replace(/\/+$/, '')) : path))
    .replace(NUMBERS, '…')
    .replace(/\s+/g, ' ')
    .trim();
  return shown.length > LONGEST ? `${shown.slice(0, LONGEST - 1)}…` : shown;
}
