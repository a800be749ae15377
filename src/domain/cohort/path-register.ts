import { SHEET_COLUMNS, type SheetColumn } from './columns.js';
import type { FaultList } from './sheet-fault.js';
import { TextIndex } from './text-index.js';

/** Where a file is named. */
export interface SheetPlace {
  readonly row: number;
  readonly column: SheetColumn;
}

/** Finds the place that names a resolved path first. */
export type PlaceOf = (path: string) => SheetPlace | undefined;

/** One use of a file. */
export interface PathUse extends SheetPlace {
  readonly caseId: string;
  /** Tells whether the study or sample it is used for holds that file already: then a later row only repeats it. */
  readonly known: () => boolean;
  /** Whether another study of the same case may use it too (one CT with two masks). */
  readonly shared: boolean;
}

const COLUMN_BITS = 4;

function placeAt(packed: number): SheetPlace {
  const column = SHEET_COLUMNS[packed % (1 << COLUMN_BITS)] as SheetColumn;
  return { row: Math.floor(packed / (1 << COLUMN_BITS)), column };
}

/**
 * Every file of the sheet with its first use. A file that turns up again where it cannot belong (both mates, two cases,
 * two samples) is the commonest copy-and-paste fault of sample sheets, and nothing downstream would notice it.
 *
 * Places are packed into one number, row above column: a sheet of a million rows has three million of them.
 */
export class PathRegister {
  readonly #places = new TextIndex();
  readonly #caseOfRow: string[] = [];
  readonly #faults: FaultList;

  constructor(faults: FaultList) {
    this.#faults = faults;
  }

  readonly placeOf = (path: string): SheetPlace | undefined => {
    const packed = this.#places.find(path);
    return packed === undefined ? undefined : placeAt(packed);
  };

  /** Records a use of a file. */
  use(path: string, use: PathUse): void {
    const packed = this.#places.findOrAdd(path, use.row * (1 << COLUMN_BITS) + SHEET_COLUMNS.indexOf(use.column));
    if (packed === undefined) {
      this.#caseOfRow[use.row] = use.caseId;
      return;
    }
    const first = placeAt(packed);
    const fault = (message: string): void =>
      this.#faults.add({ kind: 'SameFileTwice', row: use.row, column: use.column, message });
    const where = `row ${first.row}, column ${first.column}`;
    const firstCase = this.#caseOfRow[first.row];
    if (firstCase !== use.caseId) fault(`the same file is given for case ${firstCase} (${where})`);
    else if (first.row === use.row) fault(`the same file is given in column ${first.column} of this row`);
    else if (first.column !== use.column) fault(`the same file is given in ${where}`);
    else if (!use.shared && !use.known()) {
      fault(
        `the same file is given for another ${use.column === 'imaging' ? 'study' : 'sample'} of this case (${where})`,
      );
    }
  }
}
