/**
 * A file name fit for messages: without folders, and with anything that looks like a UID or a date masked, since files
 * and folders of archives are often named by them. `number` (from 1) keeps masked names apart.
 */
export function shownName(path: string, number?: number, total?: number): string {
  const base = path.slice(path.lastIndexOf('/') + 1);
  const masked = base
    .replace(/\d+(?:\.\d+){4,}/g, '…')
    .replace(/(?<!\d)(?:19|20)\d{2}[-_]?(?:0[1-9]|1[0-2])[-_]?(?:0[1-9]|[12]\d|3[01])(?!\d)/g, '…');
  return number === undefined ? masked : `${masked} (file ${number}${total === undefined ? '' : ` of ${total}`})`;
}
