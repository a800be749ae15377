export { checkPaths, type StatPath } from './check-paths.js';
export { ID_PATTERN, SHEET_COLUMN_RULES, SHEET_COLUMNS, type SheetColumn, type SheetColumnRule } from './columns.js';
export { pages } from './pages.js';
export type { PlaceOf, SheetPlace } from './path-register.js';
export { readCohortSheet, readingCohortSheet, type SheetOptions, type SheetReading } from './read-sheet.js';
export { refuseRequesterPays } from './requester-pays.js';
export { describeFault, sheetError, type SheetFault, type SheetFaultKind, type SheetWarning } from './sheet-fault.js';
export { folderOf } from './sheet-paths.js';
export { validSheetCsv, validSheetLines } from './valid-sheet.js';
