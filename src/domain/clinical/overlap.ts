/** An id without what spreadsheets and people change in it: case of letters, zeros in front of numbers. */
function loosely(id: string): string {
  return id.toLowerCase().replaceAll(/(?<!\d)0+(?=\d)/g, '');
}

/**
 * What a person should know before a sheet and a clinical table are joined: how many cases have no row, how many rows have
 * no case, and whether ids are only spelt differently. Counts only: nothing of the table is repeated.
 */
export function overlapNotes(sheet: readonly string[], table: readonly string[]): string[] {
  const inTable = new Set(table);
  const inSheet = new Set(sheet);
  const without = sheet.filter((id) => !inTable.has(id));
  const strangers = table.filter((id) => !inSheet.has(id));
  if (sheet.length === 0 || (without.length === 0 && strangers.length === 0)) return [];
  const wanted = new Set(without.map(loosely));
  const misspelt = strangers.filter((id) => wanted.has(loosely(id))).length;
  const alike = `${misspelt} of these ids are ids of the sheet in another spelling (case of letters, zeros in front): they are not joined`;
  return [
    ...(without.length === 0
      ? []
      : [
          without.length === sheet.length
            ? 'no case of the sheet has a row in the clinical table'
            : `${without.length} of ${sheet.length} cases of the sheet have no row in the clinical table`,
        ]),
    ...(strangers.length === 0
      ? []
      : [`${strangers.length} of ${table.length} rows of the clinical table are of no case of the sheet`]),
    ...(misspelt === 0 ? [] : [alike]),
  ];
}
