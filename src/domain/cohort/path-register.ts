import type { SheetColumn } from './columns.js';
import type { FaultList } from './sheet-fault.js';

/** Where a file is used: the row that named it first, and for whom. */
export interface PathUse {
  readonly row: number;
  readonly column: SheetColumn;
  readonly caseId: string;
  /** Identity of the study or sample it is used for. */
  readonly part: object;
}

/**
 * Every file of the sheet with its first use. A file that turns up again where it cannot belong (both mates, two cases,
 * two samples) is the commonest copy-and-paste fault of sample sheets, and nothing downstream would notice it.
 */
export class PathRegister {
  readonly uses = new Map<string, PathUse>();
  readonly #faults: FaultList;

  constructor(faults: FaultList) {
    this.#faults = faults;
  }

  /** Records a use of a file; `sharedInCase` allows another study of the same case to use it too (one CT, two masks). */
  use(path: string, use: PathUse, sharedInCase = false): void {
    const first = this.uses.get(path);
    if (first === undefined) {
      this.uses.set(path, use);
      return;
    }
    const fault = (message: string): void =>
      this.#faults.add({ kind: 'SameFileTwice', row: use.row, column: use.column, message });
    const where = `row ${first.row}, column ${first.column}`;
    if (first.caseId !== use.caseId) fault(`the same file is given for case ${first.caseId} (${where})`);
    else if (first.row === use.row) fault(`the same file is given in column ${first.column} of this row`);
    else if (first.column !== use.column) fault(`the same file is given in ${where}`);
    else if (first.part !== use.part && !sharedInCase) {
      fault(
        `the same file is given for another ${use.column === 'imaging' ? 'study' : 'sample'} of this case (${where})`,
      );
    }
  }
}
